import process from "node:process";
import { atMost, within } from "../goals.mjs";
import { wholeCommand } from "../ours.mjs";
import { wranglerHelp } from "../peers/cloudflare.mjs";
import { runToEnd } from "../process-group.mjs";

const wrangler = "wrangler --help";
const node = "node alone";

/** @type {import("../bench.mjs").Open} */
const help = async ({ directory }) => {
  const { commandArguments, env } = await wranglerHelp(directory);
  return {
    sample: async () => (await runToEnd(process.execPath, commandArguments, { cwd: directory, env })).milliseconds,
  };
};

/**
 * Node's own start, which every command of ours includes.
 *
 * @type {import("../bench.mjs").Open}
 */
const nothing = async ({ directory }) => ({
  sample: async () => (await runToEnd(process.execPath, ["--eval", "0"], { cwd: directory })).milliseconds,
});

/** @param {import("../bench.mjs").Bench} bench */
export function addCliRows(bench) {
  bench.add({
    id: "cli-start",
    title: "lunora --help, spawn to exit",
    unit: "ms",
    better: "lower",
    goals: [atMost(wrangler, 0.2), within(node, 50, "ms")],
    ours: wholeCommand(["--help"]),
    beside: { [wrangler]: help, [node]: nothing },
    runs: 10,
  });
  bench.add({
    id: "cli-start-codegen",
    title: "lunora codegen on an unchanged app, spawn to exit",
    size: 100,
    unit: "ms",
    better: "lower",
    goals: [atMost(wrangler, 0.2), within(node, 50, "ms")],
    ours: wholeCommand(["codegen"]),
    beside: { [wrangler]: help, [node]: nothing },
    runs: 10,
  });
}
