// `npm test`: everything. `npm test -- --only lint,unit,rust,workerd,bench,browser` runs some of it.
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { lint } from "./lib/lint.mjs";
import { bin, root } from "./lib/paths.mjs";
import { prepare } from "./lib/prepare.mjs";
import { main, run } from "./lib/run.mjs";
import { fail } from "./lib/terminal.mjs";

const vitest = (title, config) => () => run(title, bin("vitest"), ["run", "--config", join(root, config)]);

const suites = {
  lint,
  unit: vitest("Test the packages", "npm/vitest.config.ts"),
  rust: () => run("Test the crates", "cargo", ["test", "--workspace", "--quiet"]),
  workerd: vitest("Test in workerd", "npm/vitest.workerd.config.ts"),
  bench: vitest("Test the bench harness", "tests/bench/vitest.config.mjs"),
  browser: vitest("Test across packages and in a browser", "tests/vitest.config.ts"),
};

const { values } = parseArgs({ options: { only: { type: "string" } } });
const chosen = values.only === undefined ? Object.keys(suites) : values.only.split(",");
for (const name of chosen) {
  if (!(name in suites)) fail(`\`${name}\` is not a suite.`, `Choose from ${Object.keys(suites).join(", ")}.`);
}

await main(async () => {
  process.env.CI ??= "true";
  await prepare();
  for (const name of chosen) await suites[name]();
});
