// An app under `vite dev`, and the inspector that shows it.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { moduleName } from "../app/function-file.mjs";
import { startDevServer } from "../dev-server.mjs";
import { viteDev } from "../ours.mjs";
import { loopback } from "../rpc.mjs";

/** Milliseconds that anything here may take. */
export const limit = 30_000;

/**
 * Asks until there is something.
 *
 * @template T
 * @param {string} what
 * @param {() => T | undefined | Promise<T | undefined>} look
 * @returns {Promise<T>}
 */
export async function until(what, look) {
  const deadline = performance.now() + limit;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${limit} ms`);
    await delay(5);
  }
}

/**
 * @typedef {object} InspectedApp
 * @property {{origin: string, token: string}} inspector
 * @property {() => Promise<string>} write stores a row, answers its id
 * @property {() => Promise<void>} stop
 */

/**
 * @param {import("../bench.mjs").Context} context
 * @returns {Promise<InspectedApp>}
 */
export async function startInspected(context) {
  const commandFor = await viteDev(context);
  let port = 0;
  const server = await startDevServer((free) => {
    port = free;
    return commandFor(free);
  }, 0);
  const file = join(context.directory, ".lunora", "inspector.json");
  const inspector = await until("the inspector", () =>
    existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined,
  );
  const args = { project: "inspected", title: "A task", points: 1, labels: [] };
  const write = async () => {
    const answer = await fetch(`http://${loopback}:${port}/_lunora/rpc`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ functionPath: `${moduleName(0)}:create`, args }),
    });
    const { result } = await answer.json();
    if (typeof result !== "string") throw new Error(`A mutation was answered with ${answer.status}.`);
    return result;
  };
  return { inspector, write, stop: server.stop };
}
