import { expect, test } from "vitest";

import { needsSize, NO_PRESSURE, sample, warningText } from "./pressure.ts";
import type { Pressure, PressureWarning } from "./pressure.ts";

/** Ten seconds of a load; the warnings that it gave. */
function window(pressure: Pressure, perSecond: number, bytes: number): [Pressure, readonly PressureWarning["kind"][]] {
  const start = pressure.windowStart;
  let state = pressure;
  for (let second = 0; second < 10; second += 1) {
    expect(needsSize(state, start + second * 1_000)).toBe(false);
    state = sample(state, perSecond, start + second * 1_000, undefined).pressure;
  }
  expect(needsSize(state, start + 10_000)).toBe(true);
  const { pressure: next, warnings } = sample(state, 0, start + 10_000, bytes);
  return [next, warnings.map(({ kind }) => kind)];
}

test("each crossing warns once, and again only after it was over", () => {
  let state: Pressure = { ...NO_PRESSURE, windowStart: 1_000 };
  const told: unknown[] = [];
  for (const [perSecond, bytes] of [
    [10, 1_000],
    [701, 1_000],
    [2_000, 1_000],
    [650, 1_000_000_001],
    [699, 2_000_000_000],
    [600, 950_000_000],
    [701, 800_000_000],
    [701, 1_100_000_000],
  ] as const) {
    const [next, warnings] = window(state, perSecond, bytes);
    told.push(warnings);
    state = next;
  }
  expect(told).toEqual([[], ["rate"], [], ["size"], [], [], ["rate"], ["size"]]);
});

test("the first window, and one after a pause, say nothing about a rate", () => {
  expect(sample(NO_PRESSURE, 100_000, 1_700_000_000_000, 1).warnings).toEqual([]);
  expect(sample({ ...NO_PRESSURE, windowStart: 1_000 }, 100_000, 61_000, 1).warnings).toEqual([]);
});

test("a warning names the shard and what to do", () => {
  expect(warningText("room=blue", { kind: "size", bytes: 1_230_000_000 })).toMatch(/`room=blue`.*1\.23 GB.*shardBy/);
  expect(warningText("__root__", { kind: "rate", perSecond: 901 })).toMatch(/`__root__`.*901 mutations.*shardBy/);
});
