import { atLeast, atMost } from "../goals.mjs";
import { load } from "../realtime/load.mjs";
import { served, startOurs, startParty, startRaw, startTriplit } from "../realtime/sides.mjs";

const names = {
  raw: "raw object",
  grouped: "raw object, grouped",
  broadcast: "raw object, same bytes",
  party: "PartyServer",
  triplit: "Triplit, SQLite",
  twenty: "20 subscribers, 1 shape",
  uniform: "lunora, uniform",
  tenth: "a tenth of it",
};

/** Counted seconds of a sample of throughput. */
const seconds = 1.5;
const accounts = 100_000;
const balance = 1000;

/** Operations a second of closed-loop writers. */
const written =
  ({ writers, inFlight = 1, operation = { kind: "insert" } }) =>
  async ({ server, dialect }) => {
    const scenario = { ...dialect, scenario: "write", writers, inFlight, seconds, operation };
    const { perSecond } = await load(server, scenario);
    return perSecond;
  };

/** Milliseconds from the send of a write to its arrival, at 20 writes a second. */
const arrived =
  ({ subscribers, channels = 1, watch = "shape" }) =>
  async ({ server, dialect }) => {
    const paced = { writes: 40, perSecond: 20, warmUp: 5 };
    const { p50, p99 } = await load(server, {
      ...dialect,
      scenario: "latency",
      subscribers,
      channels,
      watch,
      ...paced,
    });
    return { value: p50, p99 };
  };

const transferred = (alpha) => async (side) => {
  const transfer = { kind: "transfer", accounts, alpha };
  const perSecond = await written({ writers: 50, operation: transfer })(side);
  const total = await side.server.ask("total");
  if (total !== accounts * balance) throw new Error(`The balances add up to ${total}.`);
  return perSecond;
};

const seeded = ({ server }) => server.ask("seed", { table: "accounts", count: accounts });

/** @param {import("../bench.mjs").Bench} bench */
function addThroughput(bench) {
  for (const writers of [1, 50]) {
    const sample = written({ writers });
    bench.add({
      id: "mutations",
      title: "one-row mutations over sockets, each writer waiting for its acknowledgement",
      size: writers,
      unit: "/s",
      better: "higher",
      goals:
        writers === 1
          ? [atLeast(names.raw, 0.7)]
          : [atLeast(names.raw, 2.5), atLeast(names.grouped, 0.5), atLeast(names.triplit, 1)],
      ours: served(startOurs, sample),
      beside: {
        [names.raw]: served(startRaw("Naive"), sample),
        [names.grouped]: served(startRaw("Grouped"), sample),
        [names.triplit]: served(startTriplit, sample),
      },
    });
  }
  const pipelined = written({ writers: 1, inFlight: 64 });
  bench.add({
    id: "pipelining",
    title: "one client with 64 mutations under way",
    size: 64,
    unit: "/s",
    better: "higher",
    goals: [atLeast(names.raw, 4)],
    ours: served(startOurs, pipelined),
    beside: {
      [names.raw]: served(startRaw("Naive"), pipelined),
      [names.grouped]: served(startRaw("Grouped"), pipelined),
    },
  });
  bench.add({
    id: "fund-transfer",
    title: "two reads and two updates, 100,000 accounts chosen alike, 50 connections",
    unit: "/s",
    better: "higher",
    goals: [atLeast(names.raw, 3), atLeast(names.grouped, 0.6)],
    ours: served(startOurs, transferred(0), seeded),
    beside: {
      [names.raw]: served(startRaw("Naive"), transferred(0), seeded),
      [names.grouped]: served(startRaw("Grouped"), transferred(0), seeded),
    },
  });
  bench.add({
    id: "fund-transfer-skewed",
    title: "the same, few accounts preferred (α 1.5)",
    unit: "/s",
    better: "higher",
    goals: [atLeast(names.raw, 3), atLeast(names.grouped, 0.6), atLeast(names.uniform, 0.95)],
    ours: served(startOurs, transferred(1.5), seeded),
    beside: {
      [names.raw]: served(startRaw("Naive"), transferred(1.5), seeded),
      [names.grouped]: served(startRaw("Grouped"), transferred(1.5), seeded),
      [names.uniform]: served(startOurs, transferred(0), seeded),
    },
  });
}

/** @param {import("../bench.mjs").Bench} bench */
function addLatency(bench) {
  for (const subscribers of [1, 100, 1000]) {
    const sample = arrived({ subscribers });
    const triplit = served(startTriplit, sample);
    const goals = [atMost(names.broadcast, 1.5), atMost(names.party, 1), atMost(names.triplit, 1)];
    bench.add({
      id: "poke-latency",
      title: "send of a mutation to its poke at each subscriber of one shape, p50",
      size: subscribers,
      unit: "ms",
      better: "lower",
      goals,
      also: { p99: { title: "the same, p99", goals } },
      ours: served(startOurs, sample),
      beside: {
        [names.broadcast]: served(startRaw("Naive"), sample),
        [names.party]: served(startParty, sample),
        // It does not keep up with 20 writes a second there, and takes long to say so.
        [names.triplit]: subscribers < 1000 ? triplit : { open: triplit, slow: true },
      },
    });
  }
  const twenty = served(startOurs, arrived({ subscribers: 20 }));
  for (const [id, watch, limit, what] of [
    ["distinct-shapes", "shape", 1.3, "shapes that do not read the identity"],
    ["distinct-shapes-policy", "policyShape", 2, "shapes with a policy that reads the identity"],
  ]) {
    bench.add({
      id: /** @type {string} */ (id),
      title: `a poke of one of 50 ${what}, 1,000 identities subscribed`,
      size: 1000,
      unit: "ms",
      better: "lower",
      goals: [atMost(names.twenty, /** @type {number} */ (limit))],
      ours: served(startOurs, arrived({ subscribers: 1000, channels: 50, watch: /** @type {string} */ (watch) })),
      beside: { [names.twenty]: twenty },
    });
  }
}

/** @param {import("../bench.mjs").Bench} bench */
function addGrowth(bench) {
  bench.add({
    id: "growth-subscribers",
    title: "a poke of one shape to ten times the subscribers",
    size: 1000,
    unit: "ms",
    better: "lower",
    goals: [atMost(names.tenth, 10)],
    ours: served(startOurs, arrived({ subscribers: 1000 })),
    beside: { [names.tenth]: served(startOurs, arrived({ subscribers: 100 })) },
  });
  bench.add({
    id: "growth-shapes",
    title: "a poke of one of ten times the shapes, two subscribers each",
    size: 500,
    unit: "ms",
    better: "lower",
    goals: [atMost(names.tenth, 1.5)],
    ours: served(startOurs, arrived({ subscribers: 1000, channels: 500 })),
    beside: { [names.tenth]: served(startOurs, arrived({ subscribers: 100, channels: 50 })) },
  });
}

/** @param {import("../bench.mjs").Bench} bench */
export function addRealtimeRows(bench) {
  addThroughput(bench);
  addLatency(bench);
  addGrowth(bench);
}
