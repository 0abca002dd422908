// Children, each the leader of its own process group, so that whatever they start ends with them.
import { spawn } from "node:child_process";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";

/** @type {Set<ProcessGroup>} */
const live = new Set();

/** Milliseconds between asking a group to end and ending it. */
const grace = 3000;
const keptLines = 200;

/** What the children see of our environment, and what keeps them off the network. */
export function quietEnvironment(extra = {}) {
  const { PATH, HOME, LANG, TMPDIR, XDG_CACHE_HOME, CARGO_HOME, RUSTUP_HOME, CARGO_TARGET_DIR } = process.env;
  const kept = { PATH, HOME, LANG, TMPDIR, XDG_CACHE_HOME, CARGO_HOME, RUSTUP_HOME, CARGO_TARGET_DIR };
  return {
    ...Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined)),
    CI: "true",
    NO_COLOR: "1",
    WRANGLER_SEND_METRICS: "false",
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    ...extra,
  };
}

/**
 * The lines of an output that say what went wrong: from the first that names an error on, else the last ones.
 *
 * @param {string} output
 */
export function tellingLines(output, count = 8) {
  const lines = output.split("\n").filter((line) => !/^\s+at /.test(line));
  const first = lines.findIndex((line) => /error/i.test(line));
  return first === -1 ? lines.slice(-count) : lines.slice(first, first + count);
}

function signalGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    if (error.code === "ESRCH") return false;
    throw error;
  }
}

export class ProcessGroup {
  #child;
  #lines = "";
  #name;
  /** @type {Promise<{code: number | null, signal: string | null}>} */
  exited;
  /** Set once the leader ended. */
  ended = false;
  /** @type {number | string | null} its exit code or signal */
  end = null;

  /**
   * @param {string} command
   * @param {readonly string[]} commandArguments
   * @param {{cwd?: string, env?: Record<string, string>, ipc?: boolean, input?: boolean, onOutput?: (text: string) => void}} [options]
   */
  constructor(command, commandArguments, { cwd, env = quietEnvironment(), ipc = false, input = false, onOutput } = {}) {
    this.#name = [command, ...commandArguments].join(" ");
    this.#child = spawn(command, commandArguments, {
      cwd,
      env,
      detached: true,
      stdio: [input ? "pipe" : "ignore", "pipe", "pipe", ...(ipc ? ["ipc"] : [])],
    });
    live.add(this);
    const collect = (chunk) => {
      const text = chunk.toString();
      onOutput?.(text);
      this.#lines = (this.#lines + text).split("\n").slice(-keptLines).join("\n");
    };
    this.#child.stdout.on("data", collect);
    this.#child.stderr.on("data", collect);
    this.exited = new Promise((resolve, reject) => {
      this.#child.once("error", (error) => {
        this.ended = true;
        live.delete(this);
        reject(error);
      });
      this.#child.once("exit", (code, signal) => {
        this.ended = true;
        this.end = code ?? signal;
        resolve({ code, signal });
      });
    });
    // Whoever awaits it sees the failure; a subject that was already given up must not end the harness.
    this.exited.catch(() => {});
  }

  /** The last lines of both outputs. */
  get output() {
    return this.#lines.trim();
  }

  get child() {
    return this.#child;
  }

  /** An error that says how it ended and what it said last. */
  failure(what) {
    const last = tellingLines(this.output).join("\n    ");
    return new Error(`${what} (\`${this.#name}\`)${last === "" ? "" : `; it said:\n    ${last}`}`);
  }

  /** Asks the group to end, then ends it. */
  async stop() {
    const { pid } = this.#child;
    if (pid !== undefined) {
      signalGroup(pid, "SIGTERM");
      const over = await Promise.race([
        this.exited.then(
          () => true,
          () => true,
        ),
        delay(grace, false, { ref: false }),
      ]);
      // The leader may leave its own children behind; they share its group.
      signalGroup(pid, "SIGKILL");
      if (!over) await this.exited;
    }
    live.delete(this);
  }

  /** For the end of our own process, where nothing can be awaited. */
  stopNow() {
    const { pid } = this.#child;
    if (pid !== undefined) signalGroup(pid, "SIGKILL");
  }
}

/**
 * Runs a program to its end.
 *
 * @param {string} command
 * @param {readonly string[]} commandArguments
 * @param {{cwd?: string, env?: Record<string, string>, limit?: number}} [options] `limit` in milliseconds
 * @returns {Promise<{milliseconds: number, stdout: string}>} wall time from spawn to exit
 */
export async function runToEnd(command, commandArguments, { cwd, env, limit = 120_000 } = {}) {
  const started = performance.now();
  const group = new ProcessGroup(command, commandArguments, { cwd, env });
  const stdout = [];
  group.child.stdout.on("data", (chunk) => stdout.push(chunk));
  const late = new AbortController();
  try {
    const end = await Promise.race([group.exited, delay(limit, undefined, { signal: late.signal })]);
    const milliseconds = performance.now() - started;
    if (end === undefined) throw group.failure(`No end within ${limit} ms`);
    if (end.code !== 0) throw group.failure(`Ended with ${end.code ?? end.signal}`);
    if (!group.child.stdout.closed) await new Promise((resolve) => group.child.stdout.once("close", resolve));
    return { milliseconds, stdout: Buffer.concat(stdout).toString() };
  } finally {
    late.abort();
    await group.stop();
  }
}

function endAll() {
  for (const group of live) group.stopNow();
}

/** Ends every group that is left when this process does. */
export function endGroupsWithProcess() {
  process.once("exit", endAll);
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ]) {
    process.once(signal, () => process.exit(code));
  }
}
