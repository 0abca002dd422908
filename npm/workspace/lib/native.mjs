// Builds the Rust addon and puts it beside its loader.
import { execFileSync } from "node:child_process";
import { copyFileSync, renameSync } from "node:fs";
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

/** Cargo decides what is stale, so this always runs; without a change it takes a second. */
export async function buildNative() {
  const platform = `${process.platform}-${process.arch}`;
  if (!(platform in artifacts)) {
    fail(
      `The addon cannot be built on ${platform}.`,
      `It can on ${Object.keys(artifacts).join(", ")}. On Windows, use WSL.`,
    );
  }
  const [file, target] = artifacts[platform];
  await run("Build the native addon", "cargo", ["build", "--release", "--package", "lunora_binding"]);
  const metadata = execFileSync("cargo", ["metadata", "--format-version", "1", "--no-deps"], {
    cwd: root,
    maxBuffer: 2 ** 26,
  });
  const built = join(JSON.parse(metadata.toString()).target_directory, "release", file);
  const home = join(root, "npm", "native", `lunora.${target}.node`);
  // Renamed, never written over: a server that runs has the old file mapped into its memory.
  copyFileSync(built, `${home}.new`);
  renameSync(`${home}.new`, home);
}
