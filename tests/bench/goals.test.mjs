import { expect, test } from "vitest";
import { atLeast, atMost, fasterBy, judge, under, within } from "./goals.mjs";
import { compare } from "./statistics.mjs";

test.each([
  [atMost("peer", 0.6), 60, 100, true],
  [atMost("peer", 0.6), 61, 100, false],
  [atLeast("peer", 0.7), 70, 100, true],
  [atLeast("peer", 0.7), 69, 100, false],
  [fasterBy("peer", 30), 100, 3000, true],
  [fasterBy("peer", 30), 101, 3000, false],
  [within("peer", 15, "ms"), 16, 1, true],
  [within("peer", 15, "ms"), 17, 1, false],
  [under(2, "ms"), 2, 1, true],
  [under(2, "ms"), 2.1, 1, false],
])("%o for %d beside %d", (goal, ours, peer, holds) => {
  expect(judge(goal, ours, { peer: compare([ours], [peer]) }).holds).toBe(holds);
});

test("a side that is missing leaves the goal open", () => {
  expect(judge(atMost("peer", 1), 1, {}).holds).toBeNull();
  expect(judge(under(2, "ms"), null, {}).holds).toBeNull();
});

test("a plain limit needs no peer", () => {
  expect(judge(under(2, "ms"), 1, {})).toEqual({ text: "≤ 2 ms", holds: true });
});
