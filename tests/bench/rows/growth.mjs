import { atMost } from "../goals.mjs";
import { codegenCold, codegenEdit } from "../ours.mjs";
import { served, startOurs } from "../realtime/sides.mjs";

const tenth = "a tenth of it";

const shards = 400;
/** Calls of one sample, and how many of them are under way. */
const calls = 800;
const inFlight = 8;

const names = 100_000;
const pages = 40;

async function posted({ server }, city, text) {
  const response = await fetch(`http://${server.origin}/_lunora/rpc`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ functionPath: "bench:post", args: { city, text } }),
  });
  const { error } = await response.json();
  if (error !== undefined) throw new Error(`${error.code}: ${error.message}`);
}

/** Calls `count` times, each call to the next of the shards. */
async function postAll(side, count, total) {
  let next = 0;
  const caller = async () => {
    while (next < count) {
      const index = next;
      next += 1;
      await posted(side, `c${index % total}`, "a letter");
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
}

/** Milliseconds of a one-row mutation, over shards that exist and are awake. */
const spread = (total) =>
  served(
    startOurs,
    async (side) => {
      // Shards sleep between samples: waking them is not what is measured.
      await postAll(side, total, total);
      const started = performance.now();
      await postAll(side, calls, total);
      return (performance.now() - started) / calls;
    },
    (side) => postAll(side, total, total),
  );

/** Milliseconds of a page of the names of all shards, from the middle. */
const listed = (count) =>
  served(
    startOurs,
    async ({ server }) => {
      const started = performance.now();
      for (let index = 0; index < pages; index += 1) {
        const cursor = `city=c${String(count / 2 + index).padStart(8, "0")}`;
        const page = await server.ask("registry/list", { field: "city", cursor, limit: 1000 });
        if (page.names.length !== 1000) throw new Error(`A page has ${page.names.length} names.`);
      }
      return (performance.now() - started) / pages;
    },
    ({ server }) => server.ask("registry/seed", count),
  );

/** The same with a tenth of the function files. */
const ofTenth = (open) => (context) => open({ ...context, size: context.size / 10 });

/** @param {import("../bench.mjs").Bench} bench */
export function addGrowthRows(bench) {
  bench.add({
    id: "growth-shards",
    title: "a one-row mutation over HTTP, spread over ten times the shards",
    size: shards,
    unit: "ms",
    better: "lower",
    goals: [atMost(tenth, 1.3)],
    ours: spread(shards),
    beside: { [tenth]: spread(shards / 10) },
  });
  bench.add({
    id: "growth-registry",
    title: "a page of 1,000 names of ten times the shards",
    size: names,
    unit: "ms",
    better: "lower",
    goals: [atMost(tenth, 1.3)],
    ours: listed(names),
    beside: { [tenth]: listed(names / 10) },
  });
  bench.add({
    id: "growth-files",
    title: "codegen of ten times the function files, nothing warm",
    size: 1000,
    unit: "ms",
    better: "lower",
    goals: [atMost(tenth, 10)],
    ours: codegenCold,
    beside: { [tenth]: ofTenth(codegenCold) },
  });
  bench.add({
    id: "growth-files-edit",
    title: "work after an edit of one of ten times the function files",
    size: 1000,
    unit: "ms",
    better: "lower",
    goals: [atMost(tenth, 10)],
    ours: codegenEdit,
    beside: { [tenth]: ofTenth(codegenEdit) },
  });
}
