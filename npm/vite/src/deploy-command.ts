import { finishRelease, ToolchainError } from "@lunora/native";
import type { CommandOutcome } from "@lunora/native";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { localProgram } from "./local-program.ts";
import { runProgram } from "./run-program.ts";

/** What `lunora deploy` was asked for, once the gates have let it pass. */
export type DeployCommand = Extract<CommandOutcome, { kind: "deploy" }>;

/** The exit code when a program that is run is not installed. */
const programMissing = 9;

/** The configuration of an app that has none of its own: the plugin and nothing else. */
function writePlainConfig(command: DeployCommand): string {
  const folder = join(command.root, ".lunora", "cache");
  const file = join(folder, "vite.config.mjs");
  const options = JSON.stringify({ lunoraDirectory: command.lunoraDirectory });
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    file,
    `import { lunora } from ${JSON.stringify(import.meta.resolve("@lunora/vite"))};\nexport default { plugins: [lunora(${options})] };\n`,
  );
  return file;
}

/** Builds, deploys, and writes down what was deployed. Resolves with the exit code. */
async function deploy(command: DeployCommand): Promise<{ exitCode: number; step: string; baselineFile?: string }> {
  const vite = localProgram(command.root, "vite");
  const wrangler = localProgram(command.root, "wrangler");
  // With JSON asked for, standard output belongs to the one document.
  const output = command.json ? ("stderr" as const) : ("stdout" as const);
  const config = command.viteConfig ?? writePlainConfig(command);
  const built = await runProgram(vite, ["build", "--config", config], command.root, output);
  if (built !== 0) return { exitCode: built, step: "build" };
  const deployed = await runProgram(
    wrangler,
    [
      "deploy",
      ...(command.environment === null ? [] : ["--env", command.environment]),
      ...(command.dryRun ? ["--dry-run"] : []),
    ],
    command.root,
    output,
  );
  if (deployed !== 0 || command.dryRun) return { exitCode: deployed, step: "deploy" };
  const { baselineFile } = await finishRelease({
    root: command.root,
    lunoraDirectory: command.lunoraDirectory,
    snapshot: command.snapshot,
    receipt: command.receipt,
  });
  return { exitCode: 0, step: "deploy", baselineFile };
}

/**
 * `lunora deploy` from where the gates have let it pass: builds with the app's Vite, runs the app's wrangler with its
 * output passed through, and makes the schema the baseline once that has succeeded. Resolves with the exit code: that
 * of the program that failed, or 9 when it is not installed.
 */
export async function runDeployCommand(command: DeployCommand): Promise<number> {
  process.stdout.write(command.stdout);
  process.stderr.write(command.stderr);
  try {
    const { exitCode, step, baselineFile } = await deploy(command);
    if (command.json) {
      const deployed = exitCode === 0 && !command.dryRun;
      const baselineWritten = baselineFile !== undefined;
      const document = { ...command.report, dryRun: command.dryRun, deployed, baselineWritten, exitCode };
      process.stdout.write(`${JSON.stringify(exitCode === 0 ? document : { ...document, failedStep: step })}\n`);
    } else if (baselineFile !== undefined) {
      process.stdout.write(`[lunora] ${baselineFile} is the schema that is deployed; commit it\n`);
    }
    return exitCode;
  } catch (error) {
    if (!(error instanceof ToolchainError)) throw error;
    const exitCode = error.code === "LOCAL_TOOL_MISSING" ? programMissing : 1;
    if (command.json) {
      const { diagnostics, code, message, help } = error;
      const found = diagnostics.length > 0 ? diagnostics : [{ code, severity: "error", message, help, labels: [] }];
      const document = { ...command.report, deployed: false, exitCode, error: { diagnostics: found } };
      process.stdout.write(`${JSON.stringify(document)}\n`);
    } else {
      process.stderr.write(`${error.rendered}\n`);
    }
    return exitCode;
  }
}
