import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { build } from "rolldown";

import { bundleTap } from "../tap/build.mjs";

/** A namespace of Durable Objects in the test worker. */
export interface NamespaceOptions {
  readonly binding: string;
  readonly className: string;
}

export interface WorkerOptions {
  /** The worker's entry, TypeScript or JavaScript. */
  readonly entry: string;
  readonly namespaces: readonly NamespaceOptions[];
  /** Text bindings. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Further bindings and services, as workerd's configuration has them. The worker itself is the service `main`. */
  readonly bindings?: readonly string[];
  readonly services?: readonly string[];
  /** Expressions put in place of global names when bundling. */
  readonly define?: Readonly<Record<string, string>>;
  /** Binds a D1 database as `DB`: the one that workerd brings along, whose files are in the storage directory. */
  readonly d1?: boolean;
  /** Unix socket that the tap of development tells what happens; without one there is no tap. */
  readonly tap?: string;
}

/** The wrapper around the entry, as development makes it. */
const WRAPPER = `import "./tap.js";
export * from "../worker.js";
export { default } from "../worker.js";
`;

const COMPATIBILITY_DATE = "2026-11-01";

const D1_BINDING = `(name = "DB", wrapped = (moduleName = "cloudflare-internal:d1-api", innerBindings = [
      (name = "fetcher", service = (name = "d1", props = (json = "{\\"database\\":\\"main\\"}")))]))`;
const D1_SERVICE = `(name = "d1", worker = (
      modules = [(name = "d1.js", bundled = "/workerd/d1.js")],
      compatibilityDate = "2026-01-01",
      bindings = [(name = "DATABASE", durableObjectNamespace = "D1Database")],
      durableObjectNamespaces = [(className = "D1Database", uniqueKey = "d1", enableSql = true)],
      durableObjectStorage = (localDisk = "disk"),
    ))`;

/** The workerd binary of this workspace. */
function workerdBinary(): string {
  const require = createRequire(import.meta.url);
  const { default: path } = require("workerd") as { default: string };
  return path;
}

/** One real workerd with storage in a temporary directory; restarts keep the storage. */
export class TestWorker {
  readonly directory: string;
  readonly #options: WorkerOptions;
  #process: ChildProcess | undefined;
  #port = 0;
  /** What the worker printed since the last call of `takeOutput`. */
  #output = "";

  private constructor(directory: string, options: WorkerOptions) {
    this.directory = directory;
    this.#options = options;
  }

  /** Bundles the entry and starts workerd. */
  static async start(options: WorkerOptions): Promise<TestWorker> {
    const directory = await mkdtemp(join(tmpdir(), "lunora-workerd-"));
    await mkdir(join(directory, "storage"));
    const worker = new TestWorker(directory, options);
    try {
      await worker.bundle(options.entry, options.define);
      await worker.spawn();
    } catch (error) {
      await worker.stop();
      throw error;
    }
    return worker;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Replaces the code; takes effect at the next start. */
  async bundle(entry: string, define: Readonly<Record<string, string>> = {}): Promise<void> {
    const { output } = await build({
      input: entry,
      platform: "neutral",
      external: [/^cloudflare:/, /^node:/],
      transform: { define: { ...define } },
      resolve: { conditionNames: ["@lunora/source", "workerd", "worker", "import", "default"] },
      output: { format: "esm", codeSplitting: false },
      write: false,
      logLevel: "silent",
    });
    await writeFile(join(this.directory, "worker.js"), output[0].code);
    if (this.#options.tap !== undefined) {
      await writeFile(join(this.directory, "wrapper.js"), WRAPPER);
      await writeFile(join(this.directory, "tap.js"), await bundleTap());
    }
    await writeFile(join(this.directory, "config.capnp"), this.#configuration());
  }

  #configuration(): string {
    const { namespaces, variables = {}, services: own = [], d1 = false, tap } = this.#options;
    const services = d1 ? [...own, D1_SERVICE] : own;
    const bindings = [
      ...namespaces.map(({ binding, className }) => `(name = "${binding}", durableObjectNamespace = "${className}")`),
      ...Object.entries(variables).map(([name, value]) => `(name = "${name}", text = ${JSON.stringify(value)})`),
      ...(tap === undefined ? [] : ['(name = "LUNORA_TAP", service = "tap")']),
      ...(d1 ? [D1_BINDING] : []),
      ...(this.#options.bindings ?? []),
    ];
    const modules = [
      ...(tap === undefined
        ? []
        : [
            '(name = "lunora-development/entry.js", esModule = embed "wrapper.js")',
            '(name = "lunora-development/tap.js", esModule = embed "tap.js")',
            '(name = "lunora-development/settings.js", esModule = "export const region = null; export const askedRegions = [];")',
          ]),
      '(name = "worker.js", esModule = embed "worker.js")',
    ];
    const classes = namespaces.map(
      ({ className }) => `(className = "${className}", uniqueKey = "test-${className}", enableSql = true)`,
    );
    return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "disk", disk = (path = "${join(this.directory, "storage")}", writable = true)),
    (name = "internet", network = (allow = ["public", "private"])),
    ${services.map((service) => `${service},`).join("\n    ")}
    ${tap === undefined ? "" : `(name = "tap", external = (address = "unix:${tap}", http = ())),`}
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [${modules.join(", ")}],
  compatibilityDate = "${COMPATIBILITY_DATE}",
  bindings = [${bindings.join(", ")}],
  durableObjectNamespaces = [${classes.join(", ")}],
  durableObjectStorage = (localDisk = "disk"),
);
`;
  }

  /** Starts workerd on the storage as it is. */
  async spawn(): Promise<void> {
    const child = spawn(
      workerdBinary(),
      [
        "serve",
        join(this.directory, "config.capnp"),
        "--control-fd=3",
        "--verbose",
        ...(this.#options.d1 === true ? ["--experimental"] : []),
      ],
      {
        stdio: ["ignore", "pipe", "pipe", "pipe"],
      },
    );
    this.#process = child;
    // An undrained pipe blocks workerd.
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#output += text;
        if (process.env["LUNORA_WORKERD_LOG"]) process.stderr.write(text);
      });
    }
    this.#port = await new Promise<number>((resolve, reject) => {
      let text = "";
      (child.stdio[3] as Readable).setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
        const newline = text.indexOf("\n");
        if (newline >= 0) resolve((JSON.parse(text.slice(0, newline)) as { port: number }).port);
      });
      child.once("error", reject);
      child.once("exit", (code) =>
        reject(new Error(`workerd ended with ${code} before it listened:\n${this.#output}`)),
      );
    });
  }

  /** Ends the process at once, as a crash would. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  /** Kills the process and starts another one on the same storage. */
  async restart(): Promise<void> {
    await this.kill();
    await this.spawn();
  }

  /** Ends the process and removes the storage. */
  async stop(): Promise<void> {
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }

  takeOutput(): string {
    const output = this.#output;
    this.#output = "";
    return output;
  }

  async fetch(path: string, init?: RequestInit): Promise<Response> {
    return fetch(this.origin + path, init);
  }
}
