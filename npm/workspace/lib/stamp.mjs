// Remembers what a step was last done for, so that it is not done again for the same input.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { root } from "./paths.mjs";

const folder = join(root, "node_modules", ".cache", "lunora");
const skipped = new Set(["node_modules", "dist", "target", ".git", ".lunora"]);

function* filesBelow(path) {
  if (statSync(path).isFile()) {
    yield path;
    return;
  }
  for (const entry of readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (skipped.has(entry.name)) continue;
    const child = join(path, entry.name);
    if (entry.isDirectory()) yield* filesBelow(child);
    else if (entry.isFile()) yield child;
  }
}

/** A hash over the names and contents of the files at and below `paths`. */
export function fingerprint(paths) {
  const hash = createHash("sha256");
  for (const path of paths) {
    if (!existsSync(path)) continue;
    for (const file of filesBelow(path)) {
      hash.update(relative(root, file)).update("\0").update(readFileSync(file)).update("\0");
    }
  }
  return hash.digest("hex");
}

/** Does `step` unless it was last done for the same `value` and its `outputs` are still there. */
export async function unlessStamped(name, value, outputs, step) {
  const file = join(folder, `${name}.stamp`);
  const current = existsSync(file) ? readFileSync(file, "utf8") : undefined;
  if (current === value && outputs.every((output) => existsSync(output))) return false;
  await step();
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, value);
  return true;
}
