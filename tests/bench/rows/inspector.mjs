import { under, within } from "../goals.mjs";
import { answered, inFeed, onScreen } from "../inspector/latency.mjs";
import { emptyPagePaint, inspectorPaint } from "../inspector/paint.mjs";

const emptyPage = "a page of one word";
const feed = "the feed, no page";
const answer = "the mutation's answer, nobody looks";

/** @param {import("../bench.mjs").Bench} bench */
export function addInspectorRows(bench) {
  bench.add({
    id: "inspector-paint",
    title: "first paint of the inspector",
    unit: "ms",
    better: "lower",
    goals: [under(400, "ms")],
    ours: inspectorPaint,
    also: { data: { title: "the op-log's first row" } },
    beside: { [emptyPage]: emptyPagePaint },
    runs: 9,
    warmUp: 2,
  });
  bench.add({
    id: "inspector-latency",
    title: "a mutation asked for → its change on the inspector's screen",
    unit: "ms",
    better: "lower",
    goals: [under(100, "ms"), within(feed, 50, "ms")],
    ours: onScreen,
    beside: { [feed]: inFeed, [answer]: answered },
    runs: 9,
    warmUp: 2,
  });
}
