// A development server in its own process group, from spawn to the first answered call, and edits of it.
import { writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { settingsFile } from "./app/function-file.mjs";
import { ProcessGroup } from "./process-group.mjs";
import { ProbeClient } from "./rpc.mjs";
import { freePort } from "../support/free-port.mjs";

const startLimit = 120_000;
const editLimit = 30_000;
/** Milliseconds between two calls while a server starts: seldom enough not to slow it down. */
const startPoll = 5;
/** Milliseconds between two calls while an edit is on its way. */
const editPoll = 2;
/** Milliseconds of quiet before an edit, so that no watcher is still digesting the one before. */
const quiet = 300;

/**
 * How a side's server is started in a folder that holds its app.
 *
 * @typedef {object} DevCommand
 * @property {string} command
 * @property {readonly string[]} commandArguments
 * @property {string} directory
 * @property {Record<string, string>} env
 * @property {string} settings the leaf module that edits change
 */

/**
 * @param {(port: number) => DevCommand} commandFor
 * @param {number} revision what the app answers with
 */
export async function startDevServer(commandFor, revision) {
  const port = await freePort();
  const { command, commandArguments, directory, env, settings } = commandFor(port);
  const started = performance.now();
  const group = new ProcessGroup(command, commandArguments, { cwd: directory, env });
  const client = new ProbeClient(port);
  let spawnFailure;
  group.exited.catch((error) => {
    spawnFailure = error;
  });
  const givenUp = () => spawnFailure ?? (group.ended ? group.failure(`The server ended with ${group.end}`) : undefined);
  const stop = async () => {
    client.close();
    await group.stop();
  };
  try {
    const answered = await client.until(revision, { every: startPoll, limit: startLimit, givenUp });
    return { milliseconds: answered - started, client, settings, givenUp, stop };
  } catch (error) {
    await stop();
    throw givenUp() ?? group.failure(error.message);
  }
}

/**
 * Spawn to first answer, on an app that was started once before (what a tool keeps between starts, it may keep).
 *
 * @param {(port: number) => DevCommand} commandFor
 * @returns {import("./bench.mjs").Subject}
 */
export function coldStarts(commandFor) {
  return {
    sample: async () => {
      const server = await startDevServer(commandFor, 0);
      await server.stop();
      return server.milliseconds;
    },
  };
}

/**
 * Save of the leaf module to the first answer with its new constant.
 *
 * @param {(port: number) => DevCommand} commandFor
 * @returns {Promise<import("./bench.mjs").Subject>}
 */
export async function edits(commandFor) {
  let revision = 0;
  const server = await startDevServer(commandFor, revision);
  return {
    sample: async () => {
      await delay(quiet);
      // A call just before, so that nobody pays for a connection that went away meanwhile.
      await server.client.until(revision, { every: editPoll, limit: editLimit, givenUp: server.givenUp });
      revision += 1;
      const saved = performance.now();
      writeFileSync(server.settings, settingsFile(revision));
      return (
        (await server.client.until(revision, { every: editPoll, limit: editLimit, givenUp: server.givenUp })) - saved
      );
    },
    close: server.stop,
  };
}

/** Calls that make one sample of `calls`. */
const callsOfSample = 500;

/**
 * Time of one call of the app's probe over a kept connection, by the mean of many in a row.
 *
 * @param {(port: number) => DevCommand} commandFor
 * @returns {Promise<import("./bench.mjs").Subject>}
 */
export async function calls(commandFor) {
  const server = await startDevServer(commandFor, 0);
  return {
    sample: async () => {
      const started = performance.now();
      for (let call = 0; call < callsOfSample; call += 1) {
        const { status, body } = await server.client.call(editLimit);
        if (status !== 200) throw new Error(`A call was answered with ${status} ${body.slice(0, 300)}`);
      }
      return (performance.now() - started) / callsOfSample;
    },
    close: server.stop,
  };
}
