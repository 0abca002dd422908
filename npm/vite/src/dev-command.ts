import { styleText } from "node:util";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ToolchainError, version } from "@lunora/native";
import type { CommandOutcome, Engine } from "@lunora/native";
import { bannerLines } from "./banner.ts";
import { chaosLine, chaosSeed, chaosVariable } from "./chaos.ts";
import type { SessionState } from "./dev-session.ts";
import { startEngine } from "./engine-host.ts";
import { hasErrors } from "./overlay.ts";
import { untilAskedToEnd } from "./until-asked-to-end.ts";
import type { EngineNotice } from "./engine-host.ts";

/** What `lunora dev` was asked for. */
export type DevCommand = Extract<CommandOutcome, { kind: "dev" }>;

/** The port that is tried first where there is no Vite in front; the next free one is taken when it is busy. */
const firstPort = 8787;

const cyan = (text: string): string => styleText("cyan", text);

async function runVite(command: DevCommand, configFile: string): Promise<number> {
  // The plugin belongs to the app's configuration, which this command cannot change.
  if (command.chaos !== null) process.env[chaosVariable] = String(command.chaos);
  const require = createRequire(join(command.root, "package.json"));
  const { createServer } = (await import(pathToFileURL(require.resolve("vite")).href)) as typeof import("vite");
  const server = await createServer({
    root: command.root,
    configFile,
    server: {
      ...(command.port === null ? {} : { port: command.port, strictPort: true }),
      ...(command.host === null ? {} : { host: command.host }),
    },
  });
  await server.listen();
  server.printUrls();
  if (process.stdin.isTTY) server.bindCLIShortcuts({ print: true });
  const code = await untilAskedToEnd();
  await server.close();
  return code;
}

/** One JSON document on a line for each notice. */
function printJson(notice: EngineNotice): void {
  process.stdout.write(`${JSON.stringify(notice)}\n`);
}

function printText(command: DevCommand): (notice: EngineNotice) => void {
  const state: SessionState = {
    diagnostics: [],
    worker: undefined,
    generated: undefined,
    inspector: undefined,
    chaos: undefined,
  };
  return (notice) => {
    switch (notice.type) {
      case "generated":
        state.generated = notice;
        break;
      case "inspector":
        state.inspector = notice;
        break;
      case "chaos":
        state.chaos = notice.seed ?? undefined;
        // The first one is in the start-up block.
        if (state.worker !== undefined) process.stdout.write(`${chaosLine(notice.seed)}\n`);
        break;
      case "ready":
        state.worker = { url: new URL(notice.url), milliseconds: notice.milliseconds };
        if (notice.generation === 1) {
          process.stdout.write(`\n  ${cyan(`LUNORA v${version}`)}\n\n  ${cyan("➜")}  Worker:  ${notice.url}/\n`);
          for (const line of bannerLines(state, cyan)) process.stdout.write(`${line}\n`);
          process.stdout.write(`  ${cyan("➜")}  State:   ${join(command.root, ".lunora", "state")}\n\n`);
        } else {
          process.stdout.write(`[lunora] worker reloaded in ${Math.round(notice.milliseconds)} ms\n`);
        }
        break;
      case "diagnostics":
        process.stderr.write(`${notice.rendered}\n`);
        if (hasErrors(notice.diagnostics) && notice.serving)
          process.stderr.write("[lunora] the last good worker keeps serving\n");
        break;
      case "recovered":
        process.stdout.write("[lunora] all errors are gone\n");
        break;
      case "log":
        (notice.level === "error" || notice.level === "warn" ? process.stderr : process.stdout).write(
          `${notice.rendered}\n`,
        );
        break;
      case "notice":
        process.stdout.write(`[lunora] ${notice.message}\n`);
        break;
    }
  };
}

async function runEngine(command: DevCommand, color: boolean): Promise<number> {
  const chaos = command.chaos ?? chaosSeed(undefined);
  let engine: Engine;
  try {
    engine = await startEngine(
      {
        root: command.root,
        lunoraDirectory: command.lunoraDirectory,
        color,
        bundle: command.bundle,
        command: "lunora dev",
        ...(chaos === undefined ? {} : { chaos }),
        ...(command.port === null ? { port: firstPort, nextFreePort: true } : { port: command.port }),
        ...(command.workerd === null ? {} : { workerd: command.workerd }),
      },
      command.json ? printJson : printText(command),
    );
  } catch (error) {
    if (!(error instanceof ToolchainError)) throw error;
    if (command.json) {
      process.stdout.write(`${JSON.stringify({ error: { diagnostics: error.diagnostics } })}\n`);
    } else {
      process.stderr.write(`${error.rendered}\n`);
    }
    return 1;
  }
  const code = await untilAskedToEnd();
  await engine.close();
  return code;
}

/** `lunora dev`: Vite where the app has a Vite configuration, else the engine alone. Resolves with the exit code. */
export async function runDevCommand(command: DevCommand, color: boolean): Promise<number> {
  return command.viteConfig === null ? runEngine(command, color) : runVite(command, command.viteConfig);
}
