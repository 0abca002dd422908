import { mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { atMost } from "../goals.mjs";
import { hold } from "../realtime/load.mjs";
import { groupSize } from "../realtime/seed.mjs";
import { served, startOurs, startRaw } from "../realtime/sides.mjs";

const million = 1_000_000;
const sockets = 5000;
/** Queries of one call, calls of one sample, rows of one query. */
const queries = 200;
const calls = 20;
const take = 20;
/** An odd step that visits groups all over the table. */
const stride = 7919;

const raw = "raw SQL in such an object";
const rawSocket = "raw hibernated socket";
const tenth = "a tenth of the rows";

/** Groups of a call, others than those of the call before. */
function groupsFrom(start, rows) {
  const groups = rows / groupSize;
  return Array.from({ length: queries }, (_, index) => `g${((start + index) * stride) % groups}`);
}

/** Microseconds of one query among many of one call. */
const queried = (call, rows) => {
  let start = 0;
  return async (side) => {
    const started = performance.now();
    for (let index = 0; index < calls; index += 1) {
      const found = await call(side, { groups: groupsFrom(start, rows), take });
      if (found !== queries * take) throw new Error(`It found ${found} rows instead of ${queries * take}.`);
      start += queries;
    }
    return ((performance.now() - started) * 1000) / (calls * queries);
  };
};

async function ourQuery({ server }, args) {
  const response = await fetch(`http://${server.origin}/_lunora/rpc`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ functionPath: "bench:groups", args }),
  });
  const { result, error } = await response.json();
  if (error !== undefined) throw new Error(`${error.code}: ${error.message}`);
  return result;
}

const rawQuery = ({ server }, args) => server.ask("rawGroups", args);
const seeded =
  (table, count) =>
  async ({ server }) => {
    // The object makes its tables when it is opened.
    await ourQuery({ server }, { groups: [], take });
    await server.ask("seed", { table, count });
  };

/** Memory that belongs to a process alone, and its part of what is shared. */
function residentKibibytes(pid) {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const [, kibibytes] = /^Pss:\s+(\d+) kB$/m.exec(text) ?? [];
  if (kibibytes === undefined) throw new Error("The kernel does not say what memory a process has.");
  return Number(kibibytes);
}

/** Longer than an object stays in memory without an event. */
const untilHibernation = 12_000;

/**
 * KiB of a socket that has been idle for long enough to hibernate, on a fresh server for each sample.
 *
 * @param {import("../realtime/sides.mjs").Start} start
 * @returns {import("../bench.mjs").Open}
 */
const heldBy =
  (start) =>
  async ({ directory }) => ({
    sample: async () => {
      const { server, dialect } = await start(mkdtempSync(join(directory, "server-")));
      const scenario = { ...dialect, scenario: "hold", watch: "shape" };
      try {
        // The code is loaded and the object made before memory is read.
        const first = await hold(server, { ...scenario, sockets: 10 });
        const before = residentKibibytes(server.pid);
        const held = await hold(server, { ...scenario, sockets });
        await delay(untilHibernation);
        const after = residentKibibytes(server.pid);
        await held.release();
        await first.release();
        return (after - before) / sockets;
      } finally {
        await server.stop();
      }
    },
  });

/** @param {import("../bench.mjs").Bench} bench */
export function addStorageRows(bench) {
  bench.add({
    id: "indexed-query",
    title: "20 rows by index, in the object",
    size: million,
    unit: "µs",
    better: "lower",
    goals: [atMost(raw, 1.5)],
    ours: served(startOurs, queried(ourQuery, million), seeded("items", million)),
    beside: { [raw]: served(startOurs, queried(rawQuery, million), seeded("raw_items", million)) },
  });
  bench.add({
    id: "growth-rows",
    title: "20 rows by index, of ten times the rows",
    size: million,
    unit: "µs",
    better: "lower",
    goals: [atMost(tenth, 1.3)],
    ours: served(startOurs, queried(ourQuery, million), seeded("items", million)),
    beside: { [tenth]: served(startOurs, queried(ourQuery, million / 10), seeded("items", million / 10)) },
  });
  bench.add({
    id: "socket-memory",
    title: "memory of an idle subscriber of a shape",
    size: sockets,
    unit: "KiB",
    better: "lower",
    goals: [atMost(rawSocket, 1.3)],
    ours: heldBy(startOurs),
    beside: { [rawSocket]: heldBy(startRaw("Naive")) },
    warmUp: 0,
  });
}
