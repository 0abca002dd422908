import * as fc from "fast-check";
import { expect, test } from "vitest";

import { checkProperty } from "../../../test-seed.ts";
import { GROUP_SIZE, IDLE, step } from "./turn-scheduler.ts";
import type { PlaceKind, SchedulerEffect, SchedulerEvent, SchedulerState } from "./turn-scheduler.ts";

function replay(events: readonly SchedulerEvent[]): {
  state: SchedulerState;
  effects: (SchedulerEffect | undefined)[];
} {
  let state = IDLE;
  const effects = events.map((event) => {
    const taken = step(state, event);
    state = taken.state;
    return taken.effect;
  });
  return { state, effects };
}

const mutation = (count = 1): SchedulerEvent => ({ type: "arrive", kind: "mutation", count });
const turn: SchedulerEvent = { type: "arrive", kind: "turn", count: 1 };
const ended = (taken: number, hasWritten = true): SchedulerEvent => ({ type: "ended", taken, hasWritten });
const flushed: SchedulerEvent = { type: "flushed" };

test("a mutation that finds nothing in flight runs at once", () => {
  expect(replay([mutation(), ended(1), flushed]).effects).toEqual([
    { type: "run", kind: "mutation", count: 1 },
    { type: "flush" },
    undefined,
  ]);
});

test("what arrives while a group runs or is flushed shares the next one", () => {
  const { effects } = replay([mutation(), mutation(), ended(1), mutation(2), flushed]);
  expect(effects).toEqual([
    { type: "run", kind: "mutation", count: 1 },
    undefined,
    { type: "flush" },
    undefined,
    { type: "run", kind: "mutation", count: 3 },
  ]);
});

test("a turn is alone, and mutations do not overtake it", () => {
  const { effects } = replay([
    mutation(),
    mutation(),
    turn,
    mutation(),
    ended(1),
    flushed,
    ended(1),
    flushed,
    ended(1, false),
  ]);
  expect(effects.slice(4)).toEqual([
    { type: "flush" },
    { type: "run", kind: "mutation", count: 1 },
    { type: "flush" },
    { type: "run", kind: "turn", count: 1 },
    { type: "run", kind: "mutation", count: 1 },
  ]);
});

test("what a group did not get to goes first in the next", () => {
  const { effects } = replay([mutation(5), turn, ended(2), flushed]);
  expect(effects.at(-1)).toEqual({ type: "run", kind: "mutation", count: 3 });
});

test("a group has a limit", () => {
  expect(replay([mutation(GROUP_SIZE + 7), ended(GROUP_SIZE), flushed]).effects).toEqual([
    { type: "run", kind: "mutation", count: GROUP_SIZE },
    { type: "flush" },
    { type: "run", kind: "mutation", count: 7 },
  ]);
});

test("whatever happens, everything runs once, in the order of arrival", () => {
  const arrivals = fc.array(
    fc.record({
      kind: fc.constantFrom<PlaceKind>("mutation", "turn"),
      count: fc.integer({ min: 1, max: 600 }),
      /** How much happens before the next arrival. */
      progress: fc.nat(4),
      takes: fc.double({ min: 0, max: 1, noNaN: true }),
      hasWritten: fc.boolean(),
    }),
    { maxLength: 60 },
  );
  checkProperty(
    fc.property(arrivals, (plan) => {
      let state = IDLE;
      let effect: SchedulerEffect | undefined;
      const expected: PlaceKind[] = [];
      const ran: PlaceKind[] = [];
      const take = (event: SchedulerEvent): void => {
        const taken = step(state, event);
        state = taken.state;
        // An arrival must not take the place of what is still going on.
        if (event.type === "arrive" && effect !== undefined) expect(taken.effect).toBeUndefined();
        else effect = taken.effect;
      };
      const progress = (takes: number, hasWritten: boolean): void => {
        if (effect === undefined) return;
        if (effect.type === "flush") return take({ type: "flushed" });
        const { kind, count } = effect;
        if (kind === "turn") expect(count).toBe(1);
        expect(count).toBeLessThanOrEqual(GROUP_SIZE);
        const taken = Math.max(1, Math.floor(count * takes));
        for (let place = 0; place < taken; place += 1) ran.push(kind);
        take({ type: "ended", taken, hasWritten });
      };
      for (const { kind, count, progress: steps, takes, hasWritten } of plan) {
        const places = kind === "turn" ? 1 : count;
        for (let place = 0; place < places; place += 1) expected.push(kind);
        take({ type: "arrive", kind, count: places });
        for (let index = 0; index < steps; index += 1) progress(takes, hasWritten);
      }
      // Every place takes a run and a flush at most.
      for (let rest = expected.length * 2; rest >= 0; rest -= 1) progress(1, true);
      expect(effect).toBeUndefined();
      expect(ran).toEqual(expected);
      expect(state).toEqual(IDLE);
    }),
  );
});
