import { expect, test } from "vitest";
import { footnotes, formatNumber, formatRatio, markdownTable, tableCells } from "./table.mjs";

/** @type {import("./bench.mjs").Result} */
const result = {
  id: "dev-cold",
  title: "start",
  size: 1000,
  unit: "ms",
  better: "lower",
  ours: 250,
  beside: { plugin: 5000, wrangler: null },
  runs: 5,
  spread: {
    ours: { median: 250, spread: 0.021, minimum: 240, maximum: 260, runs: 5 },
    plugin: { median: 5000, spread: 0, minimum: 5000, maximum: 5000, runs: 5 },
  },
  compared: { plugin: { ratio: { median: 0.05, low: 0.048, high: 0.052 }, difference: -4750 } },
  failures: { wrangler: "No answer within 5 ms" },
  leftOut: ["slow"],
  goals: [
    { text: "≤ 0.15 × plugin", over: "plugin", holds: true },
    { text: "≤ 1 × wrangler", over: "wrangler", holds: null },
    { text: "≤ 200 ms", holds: false },
  ],
};

test("a row has a line for each side, with ratio and verdict", () => {
  expect(tableCells([result]).slice(1)).toEqual([
    ["dev-cold", "1,000", "lunora", "250 ms", "2 %", "", "≤ 200 ms: MISSED"],
    ["", "", "plugin", "5,000 ms", "0 %", "0.05 × (0.05 to 0.05)", "≤ 0.15 × plugin: holds"],
    ["", "", "wrangler", "failed", "", "", "≤ 1 × wrangler: not measured"],
  ]);
});

test("ours that failed leaves the others readable", () => {
  const cells = tableCells([{ ...result, ours: null, spread: {}, compared: {}, size: undefined }]);
  expect(cells[1]).toEqual(["dev-cold", "", "lunora", "failed", "", "", "≤ 200 ms: MISSED"]);
  expect(cells[2]?.[5]).toBe("");
});

test("failures and peers that were left out are told", () => {
  expect(footnotes([result])).toEqual([
    "dev-cold at 1000, wrangler: No answer within 5 ms",
    "dev-cold at 1000: left out without --all: slow",
  ]);
});

test("columns line up as Markdown", () => {
  expect(
    markdownTable([
      ["a", "long"],
      ["longer", "b"],
    ]),
  ).toBe("| a      | long |\n|--------|------|\n| longer | b    |");
});

test.each([
  [0.0534, "0.053"],
  [1.239, "1.24"],
  [28.04, "28.0"],
  [6316.4, "6,316"],
])("%d is written as %s", (value, text) => {
  expect(formatNumber(value)).toBe(text);
});

const ratio = (median, low, high) => formatRatio({ ratio: { median, low, high }, difference: 0 });

test("a ratio says between what it lies, and needs both sides", () => {
  expect(ratio(0.5, 0.48, 0.53)).toBe("0.50 × (0.48 to 0.53)");
  expect(ratio(0.001, 0.001, 0.0011)).toBe("0.0010 × (0.0010 to 0.0011)");
  expect(ratio(Infinity, Infinity, Infinity)).toBe("");
  expect(formatRatio(undefined)).toBe("");
});
