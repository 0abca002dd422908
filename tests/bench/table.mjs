// The results as one Markdown table that is also readable in a terminal.
import { oursName } from "./bench.mjs";

/** @param {number} value */
export function formatNumber(value) {
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString("en-US");
  if (size >= 10) return value.toFixed(1);
  if (size >= 1) return value.toFixed(2);
  return value.toPrecision(2);
}

const times = (ratio) => (ratio < 0.01 ? ratio.toFixed(4) : ratio.toFixed(2));

/**
 * How ours stands to the other, and between what the ratio lies.
 *
 * @param {import("./statistics.mjs").Comparison | undefined} comparison
 */
export function formatRatio(comparison) {
  if (comparison === undefined || !Number.isFinite(comparison.ratio.median)) return "";
  const { median, low, high } = comparison.ratio;
  return `${times(median)} × (${times(low)} to ${times(high)})`;
}

const verdictText = (goal) => `${goal.text}: ${goal.holds === null ? "not measured" : goal.holds ? "holds" : "MISSED"}`;

/**
 * @param {readonly import("./bench.mjs").Result[]} results
 * @returns {string[][]} the header first
 */
export function tableCells(results) {
  const lines = [["row", "size", "who", "median", "±", "ours / it", "goal"]];
  for (const result of results) {
    const plainGoals = result.goals.filter((goal) => goal.over === undefined);
    const line = (name, value, goals) => {
      const summary = result.spread[name];
      const isOurs = name === oursName;
      return [
        isOurs ? result.id : "",
        isOurs ? (result.size?.toLocaleString("en-US") ?? "") : "",
        isOurs ? "lunora" : name,
        value === null ? "failed" : `${formatNumber(value)} ${result.unit}`,
        summary === undefined ? "" : `${Math.round(summary.spread * 100)} %`,
        isOurs ? "" : formatRatio(result.compared[name]),
        goals.map(verdictText).join("; "),
      ];
    };
    lines.push(line(oursName, result.ours, plainGoals));
    for (const [name, value] of Object.entries(result.beside)) {
      lines.push(
        line(
          name,
          value,
          result.goals.filter((goal) => goal.over === name),
        ),
      );
    }
  }
  return lines;
}

/**
 * @param {readonly string[][]} cells the header first
 * @returns {string}
 */
export function markdownTable(cells) {
  const widths = cells[0].map((_, column) => Math.max(...cells.map((line) => line[column].length)));
  const row = (line) => `| ${line.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`;
  return [
    row(cells[0]),
    `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`,
    ...cells.slice(1).map(row),
  ].join("\n");
}

/**
 * What the table cannot hold: reasons of failures, and peers that were left out.
 *
 * @param {readonly import("./bench.mjs").Result[]} results
 * @returns {string[]}
 */
export function footnotes(results) {
  return results.flatMap((result) => {
    const label = result.size === undefined ? result.id : `${result.id} at ${result.size}`;
    return [
      ...Object.entries(result.failures).map(
        ([name, reason]) => `${label}, ${name === oursName ? "lunora" : name}: ${reason}`,
      ),
      ...(result.leftOut.length === 0 ? [] : [`${label}: left out without --all: ${result.leftOut.join(", ")}`]),
    ];
  });
}
