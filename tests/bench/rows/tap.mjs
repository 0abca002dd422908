import { readdirSync, readFileSync } from "node:fs";
import { atLeast, atMost } from "../goals.mjs";
import { load } from "../realtime/load.mjs";
import { served, startTapped } from "../realtime/sides.mjs";

const absent = "no tap";
const closed = "nobody looks";

/** Counted seconds of a sample. */
const seconds = 1.5;

/** Samples of each side. One differs from the next by about 8 %, so that a median of 25 is good for 2 to 3. */
const runs = 25;

/** Microseconds of processor time that a process has had. */
function processorTime(pid) {
  const tasks = `/proc/${pid}/task`;
  const spent = readdirSync(tasks).map((task) =>
    Number(readFileSync(`${tasks}/${task}/schedstat`, "utf8").split(" ", 1)[0]),
  );
  return spent.reduce((sum, nanoseconds) => sum + nanoseconds, 0) / 1_000;
}

const written =
  (writers) =>
  async ({ server, dialect, tap }) => {
    const before = tap?.posts ?? 0;
    const operation = { kind: "insert" };
    const spent = processorTime(server.pid);
    const { perSecond, operations } = await load(server, {
      ...dialect,
      scenario: "write",
      writers,
      inFlight: 1,
      seconds,
      operation,
    });
    // A tap that told nothing would be free.
    if (tap !== undefined && tap.posts === before) throw new Error("The tap has told nothing.");
    return { value: perSecond, processor: (processorTime(server.pid) - spent) / operations };
  };

const processor = (goals) => ({
  processor: {
    title: "the same, processor time of the server for each",
    unit: "µs",
    better: /** @type {"lower"} */ ("lower"),
    goals,
  },
});

/** @param {import("../bench.mjs").Bench} bench */
export function addTapRows(bench) {
  for (const writers of [1, 50]) {
    const side = (manner) => served(startTapped(manner), written(writers));
    bench.add({
      id: "tap",
      title: "one-row mutations while somebody looks at what the tap of development tells",
      size: writers,
      unit: "/s",
      better: "higher",
      goals: [atLeast(absent, 0.95)],
      ours: side("open"),
      also: processor([atMost(absent, 1.05)]),
      beside: { [closed]: side("closed"), [absent]: side(undefined) },
      runs,
    });
    bench.add({
      id: "tap-closed",
      title: "the same while nobody looks",
      size: writers,
      unit: "/s",
      better: "higher",
      goals: [atLeast(absent, 0.98)],
      ours: side("closed"),
      also: processor([atMost(absent, 1.02)]),
      beside: { [absent]: side(undefined) },
      runs,
    });
  }
}
