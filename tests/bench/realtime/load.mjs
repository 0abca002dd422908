// The load generator: `crates/lunora_client/examples/load`, one process for each sample.
import { ProcessGroup, runToEnd } from "../process-group.mjs";
import { cargoExample } from "../cargo-example.mjs";

let run = 0;

/** A name that no other run on the same server had. */
export function nextRun() {
  run += 1;
  return `run${run}`;
}

const program = () => cargoExample("lunora_client", "load");

/**
 * @param {import("./worker-process.mjs").Server} server
 * @param {object} scenario
 */
const described = ({ origin }, scenario) => JSON.stringify({ origin: `ws://${origin}`, run: nextRun(), ...scenario });

/**
 * Runs a scenario to its end.
 *
 * @param {import("./worker-process.mjs").Server} server
 * @param {object} scenario as `scenario.rs` describes it
 * @returns {Promise<{perSecond?: number, p50: number, p99: number, bytesPerMessage: number, operations: number}>}
 */
export async function load(server, scenario) {
  try {
    const { stdout } = await runToEnd(await program(), [described(server, scenario)]);
    return JSON.parse(stdout);
  } catch (error) {
    throw server.failure(`${error.message}; the server`);
  }
}

function deferred() {
  /** @type {(value: undefined) => void} */
  let resolve;
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/**
 * Opens idle sockets.
 *
 * @param {import("./worker-process.mjs").Server} server
 * @param {object} scenario
 * @returns {Promise<{release: () => Promise<void>}>} when all of them are there
 */
export async function hold(server, scenario) {
  const held = deferred();
  const group = new ProcessGroup(await program(), [described(server, scenario)], {
    input: true,
    onOutput: (text) => {
      if (text.includes('"held"')) held.resolve(undefined);
    },
  });
  const end = await Promise.race([held.promise, group.exited]);
  if (end !== undefined) {
    await group.stop();
    throw group.failure("The sockets were not opened");
  }
  return { release: () => group.stop() };
}
