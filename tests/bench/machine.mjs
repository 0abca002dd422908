// Which machine and which commit the figures belong to.
import { execFileSync } from "node:child_process";
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { root } from "./paths.mjs";
import { makeScratch, removeScratch } from "./scratch.mjs";
import { median } from "./statistics.mjs";

/**
 * Median time to append 200 bytes and make them durable, which bounds every durable write.
 *
 * @returns {number} milliseconds
 */
function measureFsync() {
  const directory = makeScratch("fsync");
  const file = openSync(join(directory, "log"), "a");
  const bytes = Buffer.alloc(200, 1);
  const samples = [];
  try {
    for (let run = 0; run < 200; run += 1) {
      const started = performance.now();
      writeSync(file, bytes);
      fdatasyncSync(file);
      samples.push(performance.now() - started);
    }
  } finally {
    closeSync(file);
    removeScratch(directory);
  }
  return Number(median(samples).toFixed(3));
}

const answer = (command, commandArguments) =>
  execFileSync(command, commandArguments, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();

/** `undefined` where the program is not there: a bench of the npm side alone needs neither. */
function tryAnswer(command, commandArguments) {
  try {
    return answer(command, commandArguments);
  } catch {
    return undefined;
  }
}

export function describeMachine() {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memory: `${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
    kernel: `${type()} ${release()}`,
    node: process.version,
    rustc: tryAnswer("rustc", ["--version"]) ?? "none",
    fsyncMs: measureFsync(),
  };
}

/** @returns {string} the commit, with `+changes` when the work tree is not clean */
export function describeCommit() {
  const commit = tryAnswer("git", ["rev-parse", "--short=12", "HEAD"]);
  if (commit === undefined) return "unknown";
  return tryAnswer("git", ["status", "--porcelain"]) === "" ? commit : `${commit}+changes`;
}
