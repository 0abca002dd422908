import { readdirSync, readFileSync } from "node:fs";
import { atLeast, atMost } from "../goals.mjs";
import { slices } from "../realtime/load.mjs";
import { renewed, startTapped } from "../realtime/sides.mjs";

const absent = "no tap";
/** Says what is no difference. */
const again = "no tap, a second time";
const closed = "nobody looks";

/**
 * Seconds of a sample. Machines that others use are fast and slow by turns, so the shorter samples are the more alike are
 * those of a round. A side works for a quarter of each second: whoever looks is told all of it.
 */
const seconds = 0.1;

/** Samples of each side. Ratios of a round differ by a fifth, so that their median is good for 1 to 2 %. */
const runs = 1_000;

/** Samples of one server, of which there are five for each side. */
const ofOneServer = 200;

/** How long a server works before it is measured, seconds. */
const warmUp = 5;

/** Microseconds of processor time that a process has had. */
function processorTime(pid) {
  const tasks = `/proc/${pid}/task`;
  const spent = readdirSync(tasks).map((task) =>
    Number(readFileSync(`${tasks}/${task}/schedstat`, "utf8").split(" ", 1)[0]),
  );
  return spent.reduce((sum, nanoseconds) => sum + nanoseconds, 0) / 1_000;
}

async function connected({ server, dialect, tap }, writers) {
  const load = await slices(server, { ...dialect, writers, inFlight: 1, operation: { kind: "insert" } });
  try {
    await load.run(warmUp);
    // A tap that told nothing would be free.
    if (tap?.posts === 0) throw new Error("The tap has told nothing.");
    return load;
  } catch (error) {
    await load.close();
    throw error;
  }
}

/** Writers of one server, connected for all of its samples. */
async function writing(side, writers) {
  const { server } = side;
  const load = await connected(side, writers).catch(async (error) => {
    await server.stop();
    throw error;
  });
  return {
    async sample() {
      const spent = processorTime(server.pid);
      const { perSecond, operations } = await load.run(seconds);
      return { value: perSecond, processor: (processorTime(server.pid) - spent) / operations };
    },
    async close() {
      await load.close();
      await server.stop();
    },
  };
}

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
    const side = (manner) =>
      renewed(ofOneServer, async ({ directory }) => writing(await startTapped(manner)(directory), writers));
    bench.add({
      id: "tap",
      title: "one-row mutations while somebody looks at what the tap of development tells",
      size: writers,
      unit: "/s",
      better: "higher",
      goals: [atLeast(absent, 0.95)],
      ours: side("open"),
      also: processor([atMost(absent, 1.05)]),
      beside: { [closed]: side("closed"), [absent]: side(undefined), [again]: side(undefined) },
      runs,
      warmUp: 0,
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
      beside: { [absent]: side(undefined), [again]: side(undefined) },
      runs,
      warmUp: 0,
    });
  }
}
