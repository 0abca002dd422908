// Builds the Rust addon and puts it, with its types, beside its loader.
import { join } from "node:path";
import { bin, root } from "./paths.mjs";
import { run } from "./run.mjs";

/** Cargo decides what is stale, so this always runs; without a change it takes a second. */
export async function buildNative() {
  await run("Build the native addon", bin("napi"), [
    "build",
    "--platform",
    "--release",
    "--manifest-path",
    join(root, "crates", "lunora_binding", "Cargo.toml"),
    "--package-json-path",
    join(root, "npm", "native", "package.json"),
    "--output-dir",
    join(root, "npm", "native"),
    "--dts",
    "binding.d.ts",
    "--no-js",
  ]);
}
