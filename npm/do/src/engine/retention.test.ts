import * as fc from "fast-check";
import { expect, test } from "vitest";

import { checkProperty } from "../../../test-seed.ts";
import { GRACE_MS, isOverfull, planPass } from "./retention.ts";
import type { LogFacts, RetentionPolicy } from "./retention.ts";

const NOW = 1_000_000_000;

/** A log whose changes were made so many milliseconds ago; the first one has the position `floor`. */
function logOf(ages: readonly number[], floor = 1): LogFacts {
  return {
    floor,
    head: floor + ages.length - 1,
    firstAfter(time, from, to) {
      for (let position = from; position <= to; position += 1)
        if (NOW - (ages[position - floor] as number) > time) return position;
      return to + 1;
    },
  };
}

const policy: RetentionPolicy = { rows: 10, ageMs: 3_600_000 };

test("nothing goes while there is little and all of it is young", () => {
  expect(planPass(policy, logOf([3, 2, 1]), NOW)).toEqual({ floor: 1, isUnfinished: false });
});

test("what is too old goes, but never the newest change", () => {
  expect(planPass(policy, logOf([4_000_000, 3_700_000, 5]), NOW).floor).toBe(3);
  expect(planPass(policy, logOf([4_000_000, 3_700_000]), NOW).floor).toBe(2);
});

test("too many changes go once nobody who just lost the connection can need them", () => {
  const old = Array.from({ length: 25 }, () => GRACE_MS + 1);
  expect(planPass(policy, logOf(old), NOW).floor).toBe(16);
  const mixed = [...old.slice(0, 5), ...Array.from({ length: 20 }, () => GRACE_MS - 1)];
  expect(planPass(policy, logOf(mixed), NOW).floor).toBe(6);
  const young = Array.from({ length: 25 }, () => 1);
  expect(planPass(policy, logOf(young), NOW).floor).toBe(1);
});

test("grace ends at four times as many", () => {
  const young = Array.from({ length: 100 }, () => 1);
  expect(planPass(policy, logOf(young), NOW).floor).toBe(61);
});

test("a pass is bounded, and says when there is more", () => {
  const old = Array.from({ length: 12_000 }, () => 4_000_000);
  expect(planPass(policy, logOf(old), NOW)).toEqual({ floor: 5_001, isUnfinished: true });
});

test("passes end, keep what they have to, and never go past the head", () => {
  checkProperty(
    fc.property(
      fc.array(fc.nat(2 * GRACE_MS), { minLength: 1, maxLength: 400 }),
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 1, max: 2 * GRACE_MS }),
      (unsorted, rows, ageMs) => {
        const ages = unsorted.toSorted((left, right) => right - left);
        const log = logOf(ages, 7);
        const { floor, isUnfinished } = planPass({ rows, ageMs }, log, NOW);
        expect(isUnfinished).toBe(false);
        expect(floor).toBeGreaterThanOrEqual(7);
        expect(floor).toBeLessThanOrEqual(log.head);
        const kept = ages.slice(floor - 7);
        for (const [index, age] of ages.entries()) {
          const isGone = index < floor - 7;
          const behind = ages.length - index - 1;
          if (isGone) expect(age >= ageMs || (behind >= rows && age >= GRACE_MS) || behind >= rows * 4).toBe(true);
        }
        expect(kept.length).toBeLessThanOrEqual(Math.max(rows * 4, 1));
      },
    ),
  );
});

test("a group asks for a pass only when a good part is too much", () => {
  expect([10, 11, 12, 13].map((length) => isOverfull(policy, length))).toEqual([false, false, true, true]);
});
