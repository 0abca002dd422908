// Progress for people, on standard error: standard output is for `--json`.
import process from "node:process";

/** @param {string} line */
export function say(line) {
  process.stderr.write(`${line}\n`);
}
