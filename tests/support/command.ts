// The `lunora` command as a process.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../npm/lunorash/bin/lunora.mjs", import.meta.url));

export interface CommandEnd {
  /** `null` when it was killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Most memory it held, bytes. */
  readonly memory: number;
}

export interface CommandOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A command that runs. */
export class RunningCommand {
  readonly end: Promise<CommandEnd>;
  readonly #child: ChildProcess;
  #memory = 0;

  constructor(args: readonly string[], { cwd, env = {} }: CommandOptions) {
    const child = spawn(process.execPath, [program, ...args], {
      cwd,
      env: { PATH: process.env["PATH"] ?? "", NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    let stdout = "";
    let stderr = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const measuring = setInterval(() => this.#measure(), 20);
    this.end = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => {
        clearInterval(measuring);
        resolve({ code, stdout, stderr, memory: this.#memory });
      });
    });
  }

  #measure(): void {
    try {
      const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
      this.#memory = Math.max(this.#memory, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024);
    } catch {
      // It has just ended.
    }
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** What Ctrl-C sends. */
  interrupt(): void {
    this.#child.kill("SIGINT");
  }
}

/** Runs the command to its end. */
export async function command(args: readonly string[], options: CommandOptions): Promise<CommandEnd> {
  return new RunningCommand(args, options).end;
}
