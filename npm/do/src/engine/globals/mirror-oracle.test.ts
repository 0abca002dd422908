import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { seed } from "../../../../test-seed.ts";
import { GlobalRun } from "../../../testing/global-run.ts";
import { Random } from "../../../testing/random.ts";

const SHAPES = 60;
const STEPS = 600;
const SEEDS = 3;

/** In these, changes were lost while rows were on their way, and rows with them. */
const FOUND = [30, 40];

/** What has happened in all runs. */
const counts = new Map<string, number>();

const runs: GlobalRun[] = [];

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  vi.spyOn(console, "error").mockImplementation(() => {});
});

afterEach(async () => {
  for (const run of runs.splice(0)) await run.stop();
  vi.restoreAllMocks();
});

describe("views of random shapes over tables in D1, where others write", () => {
  it.each([...FOUND, ...Array.from({ length: SEEDS }, (_, index) => seed + index)])(
    "are states of the database in their order, and the newest one when it is quiet, seed %i",
    async (own) => {
      const run = await GlobalRun.start(new Random(own), SHAPES);
      runs.push(run);
      for (let count = 1; count <= STEPS; count += 1) {
        await run.step();
        if (count % 60 === 0) await run.quiesce();
      }
      for (const [what, count] of Object.entries(run.counts)) counts.set(what, (counts.get(what) ?? 0) + count);
    },
    300_000,
  );

  it("have been disturbed in every way", () => {
    for (const what of ["alarms", "refused", "states", "moves"])
      expect([what, (counts.get(what) ?? 0) > 0]).toEqual([what, true]);
  });
});
