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

/** A generator that says a line now and then. */
class Talking {
  #server;
  #rest = "";
  /** @type {string[]} */
  #lines = [];
  /** @type {(() => void) | undefined} */
  #wake;
  #group;

  constructor(server, path, scenario) {
    this.#server = server;
    this.#group = new ProcessGroup(path, [described(server, scenario)], {
      input: true,
      onOutput: (text) => {
        const lines = (this.#rest + text).split("\n");
        this.#rest = lines.pop() ?? "";
        this.#lines.push(...lines);
        this.#wake?.();
      },
    });
  }

  say(line) {
    this.#group.child.stdin.write(`${line}\n`);
  }

  /** The next line that it says. Rejects when it has ended. */
  async line() {
    while (this.#lines.length === 0) {
      const heard = new Promise((resolve) => {
        this.#wake = () => resolve(undefined);
      });
      const end = await Promise.race([heard, this.#group.exited]);
      if (end !== undefined && this.#lines.length === 0)
        throw this.#server.failure(`${this.#group.failure("The load generator ended").message}; the server`);
    }
    return this.#lines.shift();
  }

  stop() {
    return this.#group.stop();
  }
}

async function talking(server, scenario) {
  const generator = new Talking(server, await program(), scenario);
  try {
    await generator.line();
  } catch (error) {
    await generator.stop();
    throw error;
  }
  return generator;
}

/**
 * Opens idle sockets.
 *
 * @param {import("./worker-process.mjs").Server} server
 * @param {object} scenario
 * @returns {Promise<{release: () => Promise<void>}>} when all of them are there
 */
export async function hold(server, scenario) {
  const generator = await talking(server, scenario);
  return { release: () => generator.stop() };
}

/**
 * Connects writers, which then write for as long as they are told, again and again.
 *
 * @param {import("./worker-process.mjs").Server} server
 * @param {object} scenario
 * @returns {Promise<{run: (seconds: number) => Promise<{perSecond: number, operations: number}>, close: () => Promise<void>}>}
 */
export async function slices(server, scenario) {
  const generator = await talking(server, { ...scenario, scenario: "slices" });
  return {
    run: async (seconds) => {
      generator.say(String(seconds));
      return JSON.parse(await generator.line());
    },
    close: () => generator.stop(),
  };
}
