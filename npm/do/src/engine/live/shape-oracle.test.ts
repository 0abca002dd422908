import { afterEach, describe, expect, it } from "vitest";

import { seed } from "../../../../test-seed.ts";
import { Random } from "../../../testing/random.ts";
import { ShapeRun } from "../../../testing/shape-run.ts";
import { OPERATOR_PAIRS, randomScenario } from "../../../testing/shape-scenario.ts";

const SHAPES = 100;
const MUTATIONS = 1_000;
const SEEDS = 5;

/** Pairs of operators that decided about a row which came, went or changed. */
const seen = new Set<string>();

const runs: ShapeRun[] = [];
afterEach(() => {
  for (const run of runs.splice(0)) run.shard.stop();
});

describe("views of random shapes under random mutations", () => {
  it.each(Array.from({ length: SEEDS }, (_, index) => seed + index))(
    "equal a fresh query and the oracle after every poke, seed %i",
    async (own) => {
      const random = new Random(own);
      const run = new ShapeRun(random, randomScenario(random, SHAPES));
      runs.push(run);
      await run.subscribeAll();
      let fresh = 0;
      for (let count = 1; count <= MUTATIONS; count += 1) {
        await run.mutate();
        run.advance();
        for (const client of run.clients) {
          const pokes = client.views.pokes;
          const frames = client.connection.take();
          for (const frame of frames) {
            if (frame.type === "pokePart") expect(frame.rowsPatch.length > 0 || frame.version !== undefined).toBe(true);
            client.views.apply(frame);
          }
          // One flush, one poke.
          expect(client.views.pokes - pokes).toBeLessThanOrEqual(1);
          run.check(client, `after mutation ${count}`);
          const poked = client.shapes.filter(({ name }) => frames.some(({ shapeId }) => shapeId === name));
          if (poked.length === 0) continue;
          for (const { pair } of poked) if (pair !== undefined) seen.add(pair);
          await run.checkFresh(random.pick(poked), client.user);
          fresh += 1;
        }
        if (random.chance(0.01)) await run.shard.sleep();
        if (random.chance(0.02)) await run.reconnect(random.pick(run.clients));
        if (random.chance(0.005)) run.shard.trim(Math.max(1, run.shard.log.head - random.below(20)));
      }
      expect(fresh).toBeGreaterThan(MUTATIONS);
      for (const client of run.clients) run.shard.close(client.connection);
      expect(run.shard.shapes.size).toEqual({ groups: 0, memberships: 0 });
    },
    900_000,
  );

  it("have had every pair of operators among them", () => {
    expect([...seen].sort()).toEqual([...OPERATOR_PAIRS].sort());
  });
});
