// The servers of the real-time rows, each on bare workerd or as its maker runs it, on storage of its own.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { installPeers } from "../peer-install.mjs";
import { startTriplit } from "../peers/triplit.mjs";
import { benchFolder } from "../paths.mjs";
import { say } from "../say.mjs";
import { bundleWorker } from "./bundle.mjs";
import { startTapListener } from "./tap-listener.mjs";
import { startWorker } from "./worker-process.mjs";

/**
 * @typedef {object} Side
 * @property {import("./worker-process.mjs").Server} server
 * @property {object} dialect what the load generator has to know of it
 * @property {{readonly posts: number}} [tap] who hears the tap
 */

/** @typedef {(directory: string) => Promise<Side>} Start */

const file = (name) => join(benchFolder, "realtime", name);

/** @type {Map<string, Promise<string>>} */
const bundles = new Map();

function bundled(entry, packages) {
  let bundle = bundles.get(entry);
  if (bundle === undefined) {
    bundle = bundleWorker(entry, { packages });
    bundles.set(entry, bundle);
  }
  return bundle;
}

/** @type {Start} */
export const startOurs = async (directory) => ({
  server: await startWorker({
    directory,
    code: await bundled(file("lunora-worker.ts")),
    namespaces: { SHARD: "ShardDO", SHARD_REGISTRY: "ShardRegistryDO" },
  }),
  dialect: { dialect: "lunora" },
});

/**
 * Ours as in development.
 *
 * @param {"open" | "closed" | undefined} manner whether somebody looks; without one there is no tap
 * @returns {Start}
 */
export const startTapped = (manner) => async (directory) => {
  const path = join(directory, "tap.sock");
  const listener = manner === undefined ? undefined : await startTapListener(path, manner === "open");
  const server = await startWorker({
    directory,
    code: await bundled(file("lunora-worker.ts")),
    namespaces: { SHARD: "ShardDO", SHARD_REGISTRY: "ShardRegistryDO" },
    ...(manner === undefined ? {} : { tap: path }),
    onStop: () => listener?.stop(),
  });
  return { server, dialect: { dialect: "lunora" }, tap: listener };
};

/**
 * @param {"Naive" | "Grouped"} className
 * @returns {Start}
 */
export const startRaw = (className) => async (directory) => ({
  server: await startWorker({
    directory,
    code: await bundled(file("raw-worker.mjs")),
    namespaces: { RAW: className },
  }),
  dialect: { dialect: "raw" },
});

/** @type {Start} */
export const startParty = async (directory) => {
  const packages = await installPeers("partyserver", say);
  return {
    server: await startWorker({
      directory,
      code: await bundled(file("party-worker.mjs"), packages),
      namespaces: { Room: "Room" },
    }),
    dialect: { dialect: "party" },
  };
};

export { startTriplit };

/**
 * A subject on a server that stays up for all of its samples.
 *
 * @param {Start} start
 * @param {(side: Side, context: import("../bench.mjs").Context) => Promise<number | Record<string, number>>} sample
 * @param {(side: Side, context: import("../bench.mjs").Context) => Promise<unknown>} [prepare]
 * @returns {import("../bench.mjs").Open}
 */
export const served =
  (start, sample, prepare = async () => {}) =>
  async (context) => {
    const side = await start(context.directory);
    try {
      await prepare(side, context);
    } catch (error) {
      await side.server.stop();
      throw error;
    }
    return { sample: () => sample(side, context), close: () => side.server.stop() };
  };

/**
 * A subject that is opened afresh after so many samples: two servers that do the same differ by a few percent for as long as
 * they run.
 *
 * @param {number} samples
 * @param {import("../bench.mjs").Open} open
 * @returns {import("../bench.mjs").Open}
 */
export const renewed = (samples, open) => async (context) => {
  /** @type {import("../bench.mjs").Subject | undefined} */
  let subject;
  let opened = 0;
  let left = 0;
  const close = async () => {
    const present = subject;
    subject = undefined;
    await present?.close?.();
  };
  const renew = async () => {
    await close();
    const directory = join(context.directory, String(opened));
    mkdirSync(directory);
    subject = await open({ ...context, directory });
    opened += 1;
    left = samples;
    return subject;
  };
  await renew();
  const sample = async () => {
    const present = left === 0 || subject === undefined ? await renew() : subject;
    left -= 1;
    return present.sample();
  };
  return { sample, close };
};
