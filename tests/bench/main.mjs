// The harness behind `npm run bench`. `node tests/bench/main.mjs` runs it on what is built already.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, relative } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { Bench } from "./bench.mjs";
import { describeCommit, describeMachine } from "./machine.mjs";
import { latestFile, root } from "./paths.mjs";
import { endGroupsWithProcess } from "./process-group.mjs";
import { addCliRows } from "./rows/cli.mjs";
import { addCodegenRows } from "./rows/codegen.mjs";
import { addDevRows } from "./rows/dev.mjs";
import { addJurisdictionRows } from "./rows/jurisdiction.mjs";
import { addGrowthRows } from "./rows/growth.mjs";
import { addInspectorRows } from "./rows/inspector.mjs";
import { addRealtimeRows } from "./rows/realtime.mjs";
import { addSizeRows } from "./rows/size.mjs";
import { addStorageRows } from "./rows/storage.mjs";
import { addTapRows } from "./rows/tap.mjs";
import { addTransferRows } from "./rows/transfer.mjs";
import { say } from "./say.mjs";
import { removeScratchWithProcess } from "./scratch.mjs";
import { footnotes, markdownTable, tableCells } from "./table.mjs";

const usage = `npm run bench -- [options]

  --only <id,id>    rows to run; codegen-edit also means codegen-edit-disk
  --size <n,n>      sizes to run, of rows that have one
  --all             the slow peers too
  --quick           3 runs instead of the full number: provisional figures
  --json            the results as JSON on standard output
  --list            the rows, and end
  --help            this text
`;

const list = (text) =>
  text
    ?.split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

/** @returns {Bench} with every row there is */
export function everyRow() {
  const bench = new Bench();
  addCodegenRows(bench);
  addDevRows(bench);
  addJurisdictionRows(bench);
  addCliRows(bench);
  addRealtimeRows(bench);
  addTapRows(bench);
  addInspectorRows(bench);
  addStorageRows(bench);
  addSizeRows(bench);
  addGrowthRows(bench);
  addTransferRows(bench);
  return bench;
}

/**
 * @param {string[]} commandArguments
 * @returns {ReturnType<typeof parseArgs>["values"]}
 */
export function parseCommandLine(commandArguments) {
  return parseArgs({
    args: commandArguments,
    options: {
      only: { type: "string" },
      size: { type: "string" },
      all: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  }).values;
}

/** Answers what needs no measurement; `undefined` when there is something to run. */
export function answerWithoutRunning(options) {
  if (options.help) return usage;
  if (!options.list) return undefined;
  return everyRow()
    .rows.map(
      (row) =>
        `${row.id}${row.size === undefined ? "" : ` (${row.size})`}: ${row.title}; beside ${Object.keys(row.beside).join("; ")}\n`,
    )
    .join("");
}

/**
 * @param {ReturnType<typeof parseCommandLine>} options
 * @returns {Promise<number>} the exit code: 1 when a side of ours failed; missed goals are figures, not failures
 */
export async function measure(options) {
  const bench = everyRow();
  const rows = bench.select({ only: list(options.only), sizes: list(options.size)?.map(Number) });
  if (rows.length === 0) throw new Error("No row has that id and size.");
  endGroupsWithProcess();
  removeScratchWithProcess();

  const machine = describeMachine();
  const commit = describeCommit();
  say(
    `${machine.cpu}, ${machine.cores} cores, ${machine.memory}, ${machine.kernel}, Node ${machine.node}, ${machine.rustc}, fsync ${machine.fsyncMs} ms`,
  );
  const results = [];
  for (const [index, row] of rows.entries()) {
    const label = `[${index + 1}/${rows.length}] ${row.id}${row.size === undefined ? "" : ` at ${row.size}`}`;
    say(`${label}: ${row.title}`);
    results.push(
      ...(await bench.measure(row, { all: options.all, quick: options.quick, say: (text) => say(`  ${text}`) })),
    );
  }

  const report = { machine, commit, quick: options.quick, rows: results };
  const text = `${JSON.stringify(report, undefined, 2)}\n`;
  mkdirSync(dirname(latestFile), { recursive: true });
  writeFileSync(latestFile, text);
  say("");
  say(markdownTable(tableCells(results)));
  const notes = footnotes(results);
  if (notes.length > 0) say(`\n${notes.join("\n")}`);
  if (options.quick) say("\n3 runs each: provisional figures.");
  say(`\nWritten to ${relative(root, latestFile)}`);
  if (options.json) process.stdout.write(text);
  return results.some((result) => result.ours === null) ? 1 : 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const options = parseCommandLine(process.argv.slice(2));
  const answer = answerWithoutRunning(options);
  if (answer === undefined) process.exitCode = await measure(options);
  else process.stdout.write(answer);
}
