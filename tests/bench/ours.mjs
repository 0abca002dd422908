// The only file that knows how Lunora is started: the addon, the command and the Vite plugin.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { editedFunctionFile, editedFunctionName, moduleName } from "./app/function-file.mjs";
import { forgetGenerated, writeLunoraApp } from "./app/lunora-app.mjs";
import { timeToDisk } from "./generated-on-disk.mjs";
import { benchFolder, root } from "./paths.mjs";
import { quietEnvironment, runToEnd } from "./process-group.mjs";
import { Questioned } from "./question.mjs";
import { loopback } from "./rpc.mjs";

const script = join(benchFolder, "ours-child.mjs");

/** The `lunora` command as npm would start it. */
export const commandLine = join(root, "npm", "lunorash", "bin", "lunora.mjs");

async function load() {
  const child = new Questioned(script);
  try {
    await child.ask({ kind: "load" });
    return child;
  } catch (error) {
    await child.close();
    throw error;
  }
}

/**
 * `codegen` of the addon in a fresh process on an app without generated files; loading the addon is not counted.
 *
 * @type {import("./bench.mjs").Open}
 */
export const codegenCold = async ({ size, directory }) => {
  const files = size ?? 1;
  writeLunoraApp(directory, { files });
  return {
    sample: async () => {
      forgetGenerated(directory);
      const child = await load();
      try {
        const { milliseconds, functions } = await child.ask({ kind: "codegen", root: directory });
        if (functions !== files * 5) throw new Error(`It found ${functions} functions instead of ${files * 5}.`);
        return milliseconds;
      } finally {
        await child.close();
      }
    },
  };
};

/** The file with the references of a module: `api.ts`, or in a large app the part of it that has them. */
function referencesOf(directory, module) {
  const folder = join(directory, "lunora", "_generated");
  const file = readdirSync(folder)
    .filter((name) => /^api(-\d+)?\.ts$/u.test(name))
    .map((name) => join(folder, name))
    .find((path) => readFileSync(path, "utf8").includes(`("${module}:`));
  if (file === undefined) throw new Error(`No references of \`${module}\` in \`${folder}\`.`);
  return file;
}

/** The engine behind `vite dev`, without a worker: it watches and generates. */
async function watching({ size, directory }) {
  const files = size ?? 1;
  writeLunoraApp(directory, { files });
  const child = await load();
  try {
    await child.ask({ kind: "start", root: directory });
  } catch (error) {
    await child.close();
    throw error;
  }
  const index = Math.floor(files / 2);
  const file = join(directory, "lunora", `${moduleName(index)}.ts`);
  const generated = referencesOf(directory, moduleName(index));
  let revision = 0;
  const next = () => {
    revision += 1;
    return { file, text: editedFunctionFile(index, files, revision), generated, marker: editedFunctionName(revision) };
  };
  const close = async () => {
    try {
      await child.ask({ kind: "stop" }, 5000);
    } finally {
      await child.close();
    }
  };
  return { child, next, close };
}

/**
 * Work of the warm engine after an edit of one file, as it reports it.
 *
 * @type {import("./bench.mjs").Open}
 */
export const codegenEdit = async (context) => {
  const { child, next, close } = await watching(context);
  return {
    sample: async () => {
      const { file, text, generated, marker } = next();
      const { milliseconds } = await child.ask({ kind: "edit", file, text });
      if (!readFileSync(generated, "utf8").includes(marker))
        throw new Error(`\`${marker}\` is not in what it generated.`);
      return milliseconds;
    },
    close,
  };
};

/**
 * The same through the real watcher: save to types on disk.
 *
 * @type {import("./bench.mjs").Open}
 */
export const codegenEditDisk = async (context) => {
  const { next, close } = await watching(context);
  return { sample: () => timeToDisk(next()), close };
};

/**
 * `vite dev` on an app with the plugin.
 *
 * @param {import("./bench.mjs").Context} context
 * @param {string} [jurisdiction] what its schema declares
 */
export async function viteDev({ size, directory }, jurisdiction) {
  writeLunoraApp(directory, { files: size ?? 1, jurisdiction });
  return (port) => ({
    command: process.execPath,
    commandArguments: [
      join(root, "node_modules", "vite", "bin", "vite.js"),
      "dev",
      "--host",
      loopback,
      "--port",
      String(port),
      "--strictPort",
    ],
    directory,
    env: quietEnvironment(),
    settings: join(directory, "lunora", "settings.ts"),
  });
}

/**
 * Wall time of a whole command, from spawn to exit.
 *
 * @param {readonly string[]} commandArguments
 * @returns {import("./bench.mjs").Open}
 */
export const wholeCommand =
  (commandArguments) =>
  async ({ size, directory }) => {
    writeLunoraApp(directory, { files: size ?? 1 });
    return {
      sample: async () =>
        (await runToEnd(process.execPath, [commandLine, ...commandArguments], { cwd: directory })).milliseconds,
    };
  };
