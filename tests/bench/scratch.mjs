// Temporary folders that go away even when the run is interrupted.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** @type {Set<string>} */
const folders = new Set();
const remove = (folder) => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });

/** @param {string} name part of the folder's name */
export function makeScratch(name) {
  const folder = mkdtempSync(join(tmpdir(), `lunora-bench-${name}-`));
  folders.add(folder);
  return folder;
}

/** @param {string} folder */
export function removeScratch(folder) {
  remove(folder);
  folders.delete(folder);
}

/** Removes what is left when this process ends. */
export function removeScratchWithProcess() {
  process.once("exit", () => {
    for (const folder of folders) remove(folder);
  });
}
