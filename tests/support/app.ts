// Apps for tests: a folder of their own, a real Vite server in front of a real workerd, nothing left behind.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "./free-port.mjs";

const repository = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const scratch = join(repository, "tests", ".tmp");

/** Thrown by a condition: what is waited for cannot come any more. */
export class WaitedInVain extends Error {}

/** Waits until `condition` gives something; polls, because the other side is another process. */
export async function until<T>(what: string, condition: () => T | Promise<T>): Promise<NonNullable<T>> {
  let last: unknown;
  for (let round = 0; round < 3000; round += 1) {
    try {
      const value = await condition();
      if (value !== undefined && value !== null && value !== false) return value as NonNullable<T>;
      last = value;
    } catch (error) {
      if (error instanceof WaitedInVain) throw error;
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`waited in vain until ${what}; the last look gave ${String(last)}`);
}

/** Ids of the running workerd processes that work below `folder`. */
export function workerdsBelow(folder: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, "utf8");
        const ended = /\) Z /.test(readFileSync(`/proc/${name}/stat`, "utf8"));
        return command.includes("workerd") && readlinkSync(`/proc/${name}/cwd`).startsWith(folder) && !ended;
      } catch {
        // The process ended between the listing and the look.
        return false;
      }
    })
    .map(Number);
}

/** Ids of those that have a database of the app in `folder` open: the one that serves, once data was asked of it. */
export function workerdsWithDataOf(folder: string): number[] {
  const state = join(folder, ".lunora", "state");
  const isDatabase = (file: string): boolean => file.startsWith(state) && file.includes(".sqlite");
  return workerdsBelow(folder).filter((id) => {
    try {
      return readdirSync(`/proc/${id}/fd`).some((descriptor) => {
        try {
          return isDatabase(readlinkSync(`/proc/${id}/fd/${descriptor}`));
        } catch {
          // Closed between the listing and the look.
          return false;
        }
      });
    } catch {
      // The process ended between the listing and the look.
      return false;
    }
  });
}

/** What a program has written and how it ended. */
export class Program {
  readonly child: ChildProcess;
  readonly #ended: Promise<number | string>;
  #output = "";

  constructor(command: string, commandArguments: string[], folder: string, environment: Record<string, string> = {}) {
    this.child = spawn(command, commandArguments, {
      cwd: folder,
      env: { ...process.env, NO_COLOR: "1", ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#ended = new Promise((resolve) => {
      this.child.once("close", (code, signal) => resolve(code ?? signal ?? "unknown"));
    });
    this.child.stdout?.on("data", (chunk: Buffer) => (this.#output += chunk.toString()));
    this.child.stderr?.on("data", (chunk: Buffer) => (this.#output += chunk.toString()));
  }

  /** Everything written so far, to both streams. */
  get output(): string {
    return this.#output;
  }

  /** For who waits for something that it does: throws once it has ended. */
  assertRuns(): void {
    if (this.child.exitCode !== null) throw new WaitedInVain(`the program ended: ${this.#output}`);
  }

  /** Resolves with the exit code, or the signal that ended it, when everything it wrote has been read. */
  ended(): Promise<number | string> {
    return this.#ended;
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | string> {
    this.child.kill(signal);
    return this.ended();
  }
}

/** Where npm put a command: at the top, or beside the one workspace that depends on it. */
function script(bin: string): string {
  if (bin === "lunora") return join(repository, "npm", "lunorash", "bin", "lunora.mjs");
  const folders = [repository, join(repository, "playground", "chat")];
  const found = folders.map((folder) => join(folder, "node_modules", ".bin", bin)).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`\`${bin}\` is not installed`);
  return found;
}

/** An app in a folder of its own. */
export class TestApp {
  readonly folder: string;
  readonly #programs: Program[] = [];

  private constructor(name: string) {
    mkdirSync(scratch, { recursive: true });
    this.folder = mkdtempSync(join(scratch, `${name}-`));
  }

  /** A copy of a playground, without what it built or stored. */
  static copyOf(playground: string): TestApp {
    const app = new TestApp(playground);
    cpSync(join(repository, "playground", playground), app.folder, {
      recursive: true,
      filter: (source) => !/\/(node_modules|dist|\.lunora|_generated)$/.test(source),
    });
    return app;
  }

  /** An app from texts. */
  static of(name: string, files: Record<string, string>): TestApp {
    const app = new TestApp(name);
    for (const [path, text] of Object.entries(files)) app.write(path, text);
    return app;
  }

  path(path: string): string {
    return join(this.folder, path);
  }

  read(path: string): string {
    return readFileSync(this.path(path), "utf8");
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(this.path(path)), { recursive: true });
    writeFileSync(this.path(path), text);
  }

  remove(path: string): void {
    rmSync(this.path(path));
  }

  /** Replaces a text that must be there. */
  edit(path: string, from: string, to: string): void {
    const text = this.read(path);
    if (!text.includes(from)) throw new Error(`\`${from}\` is not in ${path}`);
    this.write(path, text.replace(from, to));
  }

  /** Runs a program that a package of the repository installed. */
  run(bin: string, commandArguments: string[], environment: Record<string, string> = {}): Program {
    const program = new Program(process.execPath, [script(bin), ...commandArguments], this.folder, environment);
    this.#programs.push(program);
    return program;
  }

  /** Runs `vite dev` and resolves when the worker answers. */
  async dev(environment: Record<string, string> = {}): Promise<{ url: string; vite: Program }> {
    const port = await freePort();
    const url = `http://localhost:${port}`;
    const vite = this.run("vite", ["dev", "--port", String(port), "--strictPort"], environment);
    await until("vite serves", async () => {
      vite.assertRuns();
      return (await fetch(`${url}/_lunora/status`)).ok;
    });
    return { url, vite };
  }

  /** Ends what still runs and removes the folder. */
  async dispose(): Promise<void> {
    for (const program of this.#programs) await program.stop("SIGKILL");
    await until("workerd is gone", () => workerdsBelow(this.folder).length === 0);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Calls a function of the app as any HTTP client could. */
export async function call(
  url: string,
  functionPath: string,
  args: unknown = {},
  headers: Record<string, string> = {},
): Promise<unknown> {
  const response = await fetch(`${url}/_lunora/rpc`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ functionPath, args }),
  });
  const body = (await response.json()) as { result?: unknown; error?: { code: string; message: string } };
  if (body.error !== undefined)
    throw Object.assign(new Error(body.error.message), { code: body.error.code, status: response.status });
  return body.result;
}
