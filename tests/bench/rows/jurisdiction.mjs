import { calls, coldStarts, edits } from "../dev-server.mjs";
import { atMost } from "../goals.mjs";
import { viteDev } from "../ours.mjs";

const unpinned = "the same app, not pinned";

const cold = (jurisdiction) => async (context) => coldStarts(await viteDev(context, jurisdiction));
const edit = (jurisdiction) => async (context) => edits(await viteDev(context, jurisdiction));
const call = (jurisdiction) => async (context) => calls(await viteDev(context, jurisdiction));

/**
 * What pinning costs: a second service in development, and the proof of the namespace.
 *
 * @param {import("../bench.mjs").Bench} bench
 */
export function addJurisdictionRows(bench) {
  for (const size of [1, 1000]) {
    bench.add({
      id: "jurisdiction-cold",
      title: "start of the server of a pinned app to the first function answered",
      size,
      unit: "ms",
      better: "lower",
      goals: [atMost(unpinned, 1.3)],
      ours: cold("eu"),
      beside: { [unpinned]: cold() },
    });
  }
  bench.add({
    id: "jurisdiction-edit",
    title: "save of a leaf module of a pinned app to its new code served",
    size: 1,
    unit: "ms",
    better: "lower",
    // No goal: a reload starts a second isolate, which is most of what a reload is.
    goals: [],
    ours: edit("eu"),
    beside: { [unpinned]: edit() },
    runs: 10,
    warmUp: 2,
  });
  bench.add({
    id: "jurisdiction-call",
    title: "a call of a pinned app",
    unit: "ms",
    better: "lower",
    goals: [atMost(unpinned, 1.1)],
    ours: call("eu"),
    beside: { [unpinned]: call() },
    runs: 10,
    warmUp: 2,
  });
}
