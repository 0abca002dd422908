import { Server, ToolchainError, version } from "@lunora/native";
import type { CommandOutcome, EngineEvent } from "@lunora/native";
import process from "node:process";
import { untilAskedToEnd } from "./until-asked-to-end.ts";

/** What `lunora start` was asked for. */
export type StartCommand = Extract<CommandOutcome, { kind: "start" }>;

type Notice = Exclude<EngineEvent, { request: number }>;

/** The codes of what the stored data does not survive: a gate stopped the start. */
const gateCodes = new Set(["SCHEMA_DRIFT", "JURISDICTION_STRANDS_DATA"]);
const stoppedByGate = 3;

function printText(notice: Notice): void {
  switch (notice.type) {
    case "ready":
      process.stdout.write(`[lunora] v${version} serves ${notice.url}/\n`);
      break;
    case "log":
      (notice.level === "error" || notice.level === "warn" ? process.stderr : process.stdout).write(
        `${notice.rendered}\n`,
      );
      break;
    case "diagnostics":
      process.stderr.write(`${notice.rendered}\n`);
      break;
    case "notice":
      process.stdout.write(`[lunora] ${notice.message}\n`);
      break;
    default:
      break;
  }
}

/** One JSON document on a line for each notice. */
function printJson(notice: Notice): void {
  process.stdout.write(`${JSON.stringify(notice)}\n`);
}

/**
 * `lunora start`: serves the production build until it is asked to end, and then lets requests under way end. Resolves
 * with the exit code: 0 when it was asked to end, 3 when the stored data does not survive the build's schema.
 */
export async function runStartCommand(command: StartCommand): Promise<number> {
  const print = command.json ? printJson : printText;
  // Asked for before anything runs: a signal during the start ends in order too.
  const failed = new AbortController();
  const asked = untilAskedToEnd(failed.signal);
  try {
    const server = await Server.start(command.options, print);
    await asked;
    print({ type: "notice", message: "stopping: requests under way are answered first" });
    if (!(await server.close(command.drain)))
      print({ type: "notice", message: `some requests did not end within ${command.drain / 1000} s and were cut off` });
    return 0;
  } catch (error) {
    if (!(error instanceof ToolchainError)) throw error;
    if (command.json) process.stdout.write(`${JSON.stringify({ error: { diagnostics: error.diagnostics } })}\n`);
    else process.stderr.write(`${error.rendered}\n`);
    failed.abort();
    return gateCodes.has(error.code) ? stoppedByGate : 1;
  }
}
