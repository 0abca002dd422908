// Code generation on the TypeScript compiler: once cold, and warm after an edit.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { editedFunctionFile, editedFunctionName, moduleName } from "../app/function-file.mjs";
import { writeFunctionFiles } from "../app/worker-app.mjs";
import { timeToDisk } from "../generated-on-disk.mjs";
import { installPeers } from "../peer-install.mjs";
import { benchFolder } from "../paths.mjs";
import { Questioned } from "../question.mjs";
import { say } from "../say.mjs";

const script = join(benchFolder, "peers", "ts-morph-child.mjs");

async function load() {
  const packages = await installPeers("ts-morph", say);
  const child = new Questioned(script);
  await child.ask({ kind: "load", packages });
  return child;
}

/**
 * A fresh process for each sample; loading the compiler is not counted.
 *
 * @param {boolean} types with the checker, or syntax only
 * @returns {import("../bench.mjs").Open}
 */
export const tsMorphCold =
  (types) =>
  async ({ size, directory }) => {
    writeFunctionFiles(directory, { files: size ?? 1 });
    return {
      sample: async () => {
        const child = await load();
        try {
          const { milliseconds, functions } = await child.ask({ kind: "generate", directory, types });
          if (functions !== (size ?? 1) * 5)
            throw new Error(`It found ${functions} functions instead of ${(size ?? 1) * 5}.`);
          return milliseconds;
        } finally {
          await child.close();
        }
      },
    };
  };

async function warm({ size, directory }) {
  const files = size ?? 1;
  writeFunctionFiles(directory, { files });
  const child = await load();
  await child.ask({ kind: "generate", directory, types: true });
  const index = Math.floor(files / 2);
  const file = join(directory, `${moduleName(index)}.ts`);
  let revision = 0;
  const next = () => {
    revision += 1;
    return { file, text: editedFunctionFile(index, files, revision), marker: editedFunctionName(revision) };
  };
  return { child, next };
}

/**
 * Work of a warm process after an edit of one file; the edit itself is not counted.
 *
 * @type {import("../bench.mjs").Open}
 */
export const tsMorphEdit = async (context) => {
  const { child, next } = await warm(context);
  return {
    sample: async () => {
      const { file, text, marker } = next();
      const { milliseconds } = await child.ask({ kind: "edit", file, text });
      if (!readFileSync(join(context.directory, "_generated", "api.ts"), "utf8").includes(marker)) {
        throw new Error(`\`${marker}\` is not in what it generated.`);
      }
      return milliseconds;
    },
    close: () => child.close(),
  };
};

/**
 * The same behind a bare file watcher without any debounce.
 *
 * @type {import("../bench.mjs").Open}
 */
export const tsMorphDisk = async (context) => {
  const { child, next } = await warm(context);
  await child.ask({ kind: "watch" });
  return {
    sample: () => timeToDisk({ ...next(), generated: join(context.directory, "_generated", "api.ts") }),
    close: () => child.close(),
  };
};
