import { spawn } from "node:child_process";
import { constants } from "node:os";
import process from "node:process";

/** Outlives an interrupt, to tell how the program ended. */
const wait = (): void => {};

/**
 * Runs a script with this Node, its input and output passed through; what it says on standard output goes to
 * `output`. Resolves with its exit code, or 128 and the number of the signal that ended it.
 */
export function runProgram(
  script: string,
  programArguments: readonly string[],
  folder: string,
  output: "stdout" | "stderr",
): Promise<number> {
  const child = spawn(process.execPath, [script, ...programArguments], {
    cwd: folder,
    stdio: ["inherit", output === "stdout" ? "inherit" : 2, "inherit"],
  });
  // A terminal sends Ctrl-C to the whole group; other signals reach this process alone.
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on("SIGTERM", pass);
  process.on("SIGINT", wait);
  return new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  }).finally(() => {
    process.off("SIGTERM", pass);
    process.off("SIGINT", wait);
  });
}
