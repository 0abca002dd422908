// Runs a program with its output passed through, and says how long it took.
import { spawn } from "node:child_process";
import process from "node:process";
import { bold, dim, duration, green, red, say } from "./terminal.mjs";
import { root } from "./paths.mjs";

/** A step that ended with an exit code other than zero. */
export class StepFailed extends Error {
  constructor(title, code) {
    super(`${title} failed with ${code}`);
    this.name = "StepFailed";
  }
}

/**
 * Runs `command` and resolves when it ended with zero.
 *
 * @param {string} title what is said while it runs
 * @param {string} command
 * @param {string[]} commandArguments
 * @param {{cwd?: string, env?: Record<string, string>}} [options]
 */
export async function run(title, command, commandArguments, options = {}) {
  const started = performance.now();
  say(`${bold("▸")} ${title} ${dim(`${command} ${commandArguments.join(" ")}`)}`);
  const child = spawn(command, commandArguments, {
    cwd: options.cwd ?? root,
    env: { ...process.env, ...options.env },
    stdio: "inherit",
  });
  const code = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (exitCode, signal) => resolve(exitCode ?? signal));
  });
  const took = dim(duration(performance.now() - started));
  if (code !== 0) {
    say(`${red("✗")} ${title} ${took}`);
    throw new StepFailed(title, code);
  }
  say(`${green("✓")} ${title} ${took}`);
}

/** Runs the steps of a script; a failed one ends the process with 1, anything else is a bug and shows its stack. */
export async function main(steps) {
  try {
    await steps();
  } catch (error) {
    if (error instanceof StepFailed) {
      say(`${red("error")} ${error.message}`);
      process.exit(1);
    }
    throw error;
  }
}
