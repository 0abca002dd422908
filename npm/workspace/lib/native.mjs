// Builds the Rust addon and puts it, with its types, beside its loader.
import { mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { bin, root } from "./paths.mjs";
import { run } from "./run.mjs";

const home = join(root, "npm", "native");
const staging = join(root, "node_modules", ".cache", "lunora", "native");

/** Cargo decides what is stale, so this always runs; without a change it takes a second. */
export async function buildNative() {
  mkdirSync(staging, { recursive: true });
  await run("Build the native addon", bin("napi"), [
    "build",
    "--platform",
    "--release",
    "--manifest-path",
    join(root, "crates", "lunora_binding", "Cargo.toml"),
    "--package-json-path",
    join(home, "package.json"),
    "--output-dir",
    staging,
    "--dts",
    "binding.d.ts",
    "--no-js",
  ]);
  // Renamed, never written over: a server that runs has the old file mapped into its memory.
  for (const name of readdirSync(staging)) renameSync(join(staging, name), join(home, name));
}
