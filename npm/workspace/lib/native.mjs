// Builds the Rust addon and puts it beside its loader.
import { execFileSync } from "node:child_process";
import { copyFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { root } from "./paths.mjs";
import { run } from "./run.mjs";
import { fail } from "./terminal.mjs";

/** The file that cargo makes, and the name under which the loader looks for it, by platform. */
const artifacts = {
  "linux-x64": ["liblunora_binding.so", "linux-x64-gnu"],
  "linux-arm64": ["liblunora_binding.so", "linux-arm64-gnu"],
  "darwin-x64": ["liblunora_binding.dylib", "darwin-x64"],
  "darwin-arm64": ["liblunora_binding.dylib", "darwin-arm64"],
};

/**
 * Builds the addon. Cargo decides what is stale, so this always runs; without a change it takes a second.
 *
 * @param {string} title what is printed
 * @param {readonly string[]} features of the crate
 * @returns the file, and the name under which the loader looks for it
 */
async function build(title, features) {
  const platform = `${process.platform}-${process.arch}`;
  if (!(platform in artifacts)) {
    fail(
      `The addon cannot be built on ${platform}.`,
      `It can on ${Object.keys(artifacts).join(", ")}. On Windows, use WSL.`,
    );
  }
  const [file, target] = artifacts[platform];
  const chosen = features.flatMap((feature) => ["--features", feature]);
  await run(title, "cargo", ["build", "--release", "--package", "lunora_binding", ...chosen]);
  const metadata = execFileSync("cargo", ["metadata", "--format-version", "1", "--no-deps"], {
    cwd: root,
    maxBuffer: 2 ** 26,
  });
  const built = join(JSON.parse(metadata.toString()).target_directory, "release", file);
  return { built, name: `lunora.${target}.node` };
}

const home = join(root, "npm", "native");

/** The addon, beside its loader. */
export async function buildNative() {
  const { built, name } = await build("Build the native addon", []);
  // Renamed, never written over: a server that runs has the old file mapped into its memory.
  copyFileSync(built, join(home, `${name}.new`));
  renameSync(join(home, `${name}.new`), join(home, name));
}

/**
 * An addon whose exports panic when told to, with the loader, in a folder of tests. It is moved away from where the
 * addon that is shipped would be looked for.
 *
 * @param {string} folder
 */
export async function buildFaultyAddon(folder) {
  const { built, name } = await build("Build an addon with faults", ["fault-injection"]);
  copyFileSync(built, join(folder, name));
  rmSync(built);
  copyFileSync(join(home, "index.js"), join(folder, "index.js"));
  copyFileSync(join(home, "package.json"), join(folder, "package.json"));
}
