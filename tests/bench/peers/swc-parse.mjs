// swc's parser alone, in Rust: what reading the files costs before anything is known about them.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { editedFunctionFile, moduleName } from "../app/function-file.mjs";
import { writeFunctionFiles } from "../app/worker-app.mjs";
import { cargoExample } from "../cargo-example.mjs";
import { runToEnd } from "../process-group.mjs";

const build = () => cargoExample("lunora_parse", "parse_baseline");

async function parse(commandArguments) {
  const { stdout } = await runToEnd(await build(), commandArguments);
  return JSON.parse(stdout);
}

/**
 * All files, already in memory, in a fresh process.
 *
 * @param {number} threads
 * @returns {import("../bench.mjs").Open}
 */
export const swcParse =
  (threads) =>
  async ({ size, directory }) => {
    const files = size ?? 1;
    writeFunctionFiles(directory, { files });
    await build();
    return {
      sample: async () => {
        const report = await parse(["--threads", String(threads), directory]);
        // The function files, and the settings beside them.
        if (report.files !== files + 1) throw new Error(`It parsed ${report.files} files instead of ${files + 1}.`);
        return report.milliseconds;
      },
    };
  };

/**
 * The edited file alone, warm.
 *
 * @type {import("../bench.mjs").Open}
 */
export const swcParseOne = async ({ size, directory }) => {
  const files = size ?? 1;
  const index = Math.floor(files / 2);
  writeFileSync(join(directory, `${moduleName(index)}.ts`), editedFunctionFile(index, files, 1));
  await build();
  return { sample: async () => (await parse(["--threads", "1", "--passes", "200", directory])).milliseconds };
};
