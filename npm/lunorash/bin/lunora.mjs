#!/usr/bin/env node
// The command itself is part of the native addon; only what needs JavaScript's bundler goes on from here.
import process from "node:process";

const color =
  process.env.NO_COLOR === undefined &&
  process.env.TERM !== "dumb" &&
  (process.stdout.isTTY === true || process.env.FORCE_COLOR !== undefined);

try {
  // Imported here, because an addon that is not there is an error with a message like any other.
  const { interruptCommandLine, runCommandLine } = await import("@lunora/native");
  // A command that has something to put in order listens once; otherwise the signal ends the process, as ever.
  const interrupt = () => {
    if (interruptCommandLine()) return;
    process.off("SIGINT", interrupt);
    process.kill(process.pid, "SIGINT");
  };
  process.on("SIGINT", interrupt);
  const outcome = await runCommandLine({
    arguments: process.argv.slice(2),
    workingDirectory: process.cwd(),
    color,
    columns: process.stdout.columns ?? null,
    nodeVersion: process.versions.node,
  }).finally(() => process.off("SIGINT", interrupt));
  if (outcome.kind === "done") {
    process.stdout.write(outcome.stdout);
    process.stderr.write(outcome.stderr);
    process.exitCode = outcome.exitCode;
  } else {
    const commands = await import("@lunora/vite");
    const runners = {
      deploy: commands.runDeployCommand,
      dev: commands.runDevCommand,
      residency: commands.runResidencyCommand,
      start: commands.runStartCommand,
    };
    process.exitCode = await runners[outcome.kind](outcome, color);
  }
} catch (error) {
  if (error?.name !== "ToolchainError") throw error;
  process.stderr.write(`${error.rendered}\n`);
  process.exitCode = 1;
}
