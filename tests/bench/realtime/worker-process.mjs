// A worker on bare workerd, on loopback, with storage in the subject's folder. Ours and the
// baselines run in the same binary with the same configuration.
import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { bundleTap } from "../../../npm/do/tap/build.mjs";
import { ProcessGroup } from "../process-group.mjs";
import { loopback } from "../rpc.mjs";
import { freePort } from "../../support/free-port.mjs";

const compatibilityDate = "2026-11-01";
const startLimit = 30_000;

/** The binary of this workspace. */
const workerd = () => createRequire(import.meta.url)("workerd").default;

/**
 * @typedef {object} WorkerOptions
 * @property {string} directory an empty one
 * @property {string} code
 * @property {Readonly<Record<string, string>>} namespaces binding to class
 * @property {string} [tap] the unix socket that the tap of development speaks to
 * @property {() => Promise<void> | undefined} [onStop]
 */

/** The wrapper around the entry, as development makes it. */
const tapModules = {
  "entry.js": 'import "./tap.js";\nexport * from "../worker.js";\nexport { default } from "../worker.js";\n',
  "settings.js": "export const region = null;\nexport const askedRegions = [];\n",
};

const configuration = (directory, namespaces, tap) => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "disk", disk = (path = "${join(directory, "storage")}", writable = true)),
    ${tap === undefined ? "" : `(name = "tap", external = (address = "unix:${tap}", http = ())),`}
  ],
  sockets = [(name = "http", address = "${loopback}:0", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [${(tap === undefined ? [] : ["entry.js", "tap.js", "settings.js"])
    .map((name) => `(name = "lunora-development/${name}", esModule = embed "${name}"), `)
    .join("")}(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "${compatibilityDate}",
  bindings = [${[
    ...Object.entries(namespaces).map(
      ([binding, className]) => `(name = "${binding}", durableObjectNamespace = "${className}")`,
    ),
    ...(tap === undefined ? [] : ['(name = "LUNORA_TAP", service = "tap")']),
  ].join(", ")}],
  durableObjectNamespaces = [${Object.values(namespaces)
    .map((className) => `(className = "${className}", uniqueKey = "bench-${className}", enableSql = true)`)
    .join(", ")}],
  durableObjectStorage = (localDisk = "disk"),
);
`;

/** A running server of a row. */
export class Server {
  #group;
  #onStop;
  origin;

  /**
   * @param {ProcessGroup} group
   * @param {string} origin `host:port`
   * @param {WorkerOptions["onStop"]} [onStop]
   */
  constructor(group, origin, onStop) {
    this.#group = group;
    this.#onStop = onStop;
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
    await this.#onStop?.();
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
export async function startWorker({ directory, code, namespaces, tap, onStop }) {
  mkdirSync(join(directory, "storage"), { recursive: true });
  writeFileSync(join(directory, "worker.js"), code);
  if (tap !== undefined) {
    for (const [name, text] of Object.entries(tapModules)) writeFileSync(join(directory, name), text);
    writeFileSync(join(directory, "tap.js"), await bundleTap());
  }
  writeFileSync(join(directory, "config.capnp"), configuration(directory, namespaces, tap));
  const port = await freePort();
  const origin = `${loopback}:${port}`;
  const group = new ProcessGroup(workerd(), ["serve", join(directory, "config.capnp"), `--socket-addr=http=${origin}`]);
  try {
    await whenAnswering(group, origin);
    return new Server(group, origin, onStop);
  } catch (error) {
    await group.stop();
    await onStop?.();
    throw error;
  }
}
