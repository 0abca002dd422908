// A worker on bare workerd, on loopback, with storage in the subject's folder. Ours and the
// baselines run in the same binary with the same configuration.
import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ProcessGroup } from "../process-group.mjs";
import { freePort, loopback } from "../rpc.mjs";

const compatibilityDate = "2026-11-01";
const startLimit = 30_000;

/** The binary of this workspace. */
const workerd = () => createRequire(import.meta.url)("workerd").default;

/**
 * @typedef {object} WorkerOptions
 * @property {string} directory an empty one
 * @property {string} code
 * @property {Readonly<Record<string, string>>} namespaces binding to class
 */

const configuration = (directory, namespaces) => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "disk", disk = (path = "${join(directory, "storage")}", writable = true)),
  ],
  sockets = [(name = "http", address = "${loopback}:0", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "${compatibilityDate}",
  bindings = [${Object.entries(namespaces)
    .map(([binding, className]) => `(name = "${binding}", durableObjectNamespace = "${className}")`)
    .join(", ")}],
  durableObjectNamespaces = [${Object.values(namespaces)
    .map((className) => `(className = "${className}", uniqueKey = "bench-${className}", enableSql = true)`)
    .join(", ")}],
  durableObjectStorage = (localDisk = "disk"),
);
`;

/** A running server of a row. */
export class Server {
  #group;
  origin;

  /**
   * @param {ProcessGroup} group
   * @param {string} origin `host:port`
   */
  constructor(group, origin) {
    this.#group = group;
    this.origin = origin;
  }

  get pid() {
    return /** @type {number} */ (this.#group.child.pid);
  }

  /**
   * Asks what the worker answers for the bench alone.
   *
   * @param {string} method
   * @param {unknown} [argument]
   */
  async ask(method, argument = null) {
    const response = await fetch(`http://${this.origin}/bench/${method}`, {
      method: "POST",
      body: JSON.stringify(argument),
    });
    if (!response.ok) throw this.#group.failure(`\`${method}\` was answered with ${response.status}`);
    return response.json();
  }

  failure(what) {
    return this.#group.failure(what);
  }

  async stop() {
    // Open sockets keep it from ending on its own, and nothing of it is needed any more.
    this.#group.stopNow();
    await this.#group.stop();
  }
}

/** Waits until anything is answered. */
export async function whenAnswering(group, origin) {
  const deadline = performance.now() + startLimit;
  for (;;) {
    if (group.ended) throw group.failure(`The server ended with ${group.end}`);
    try {
      await (await fetch(`http://${origin}/`)).arrayBuffer();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw group.failure(`No answer within ${startLimit} ms: ${error.message}`);
      await delay(10);
    }
  }
}

/**
 * @param {WorkerOptions} options
 * @returns {Promise<Server>}
 */
export async function startWorker({ directory, code, namespaces }) {
  mkdirSync(join(directory, "storage"), { recursive: true });
  writeFileSync(join(directory, "worker.js"), code);
  writeFileSync(join(directory, "config.capnp"), configuration(directory, namespaces));
  const port = await freePort();
  const origin = `${loopback}:${port}`;
  const group = new ProcessGroup(workerd(), ["serve", join(directory, "config.capnp"), `--socket-addr=http=${origin}`]);
  try {
    await whenAnswering(group, origin);
    return new Server(group, origin);
  } catch (error) {
    await group.stop();
    throw error;
  }
}
