import { afterEach, describe, expect, it } from "vitest";

import { seed } from "../../../../test-seed.ts";
import type { Loose } from "../../../testing/loose.ts";
import { Random } from "../../../testing/random.ts";
import { ShapeRun } from "../../../testing/shape-run.ts";
import type { SimulatedClient } from "../../../testing/shape-run.ts";
import { randomScenario } from "../../../testing/shape-scenario.ts";
import type { ShapeView } from "../../../testing/shape-view.ts";
import { causeOfReset } from "./resume.ts";

const runs: ShapeRun[] = [];
afterEach(() => {
  for (const run of runs.splice(0)) run.shard.stop();
});

async function start(own: number, shapes: number, mutations: number): Promise<ShapeRun> {
  const random = new Random(own);
  const run = new ShapeRun(random, randomScenario(random, shapes));
  runs.push(run);
  await run.subscribeAll();
  for (let count = 0; count < mutations; count += 1) await mutate(run);
  return run;
}

async function mutate(run: ShapeRun): Promise<void> {
  await run.mutate();
  run.advance();
  for (const client of run.clients) run.deliver(client);
}

/** A socket of its own for one view; resolves to the frames that answered. */
async function ask(run: ShapeRun, client: SimulatedClient, frame: Loose): Promise<Loose[]> {
  run.shard.close(client.connection);
  client.views.disconnect();
  client.connection = run.shard.connect(client.connection.identity);
  await run.shard.subscribe(client.connection, frame);
  return client.connection.take();
}

const OTHERS: readonly unknown[] = ["12", "", -1, 2 ** 53, Number.NaN, Infinity, 1.5, null, {}, [3], true];

interface Position {
  checkpoint: unknown;
  epoch: unknown;
  version: unknown;
}

describe("a view that comes back", () => {
  it.each(Array.from({ length: 20 }, (_, index) => seed + index))(
    "is seeded once for each cause, and continued otherwise, seed %i",
    async (own) => {
      const run = await start(own, 12, 25);
      const other = await start(own, 12, 25);
      const client = run.clients.find(({ shapes }) => shapes.length > 0) as SimulatedClient;
      const [shape] = client.shapes as [SimulatedClient["shapes"][number]];
      client.shapes.length = 1;
      const view = client.views.views.get(shape.name) as ShapeView;
      const foreign = { checkpoint: other.shard.log.head, epoch: other.shard.log.epoch, version: view.version };

      /** Comes back at a position, and once more at the one that the answer brought. */
      const comeBack = async (name: string, position: Position, isReset: boolean): Promise<void> => {
        client.views.subscribe(shape.name, view.shape);
        // Where the view is, is what the client says when it comes back.
        view.checkpoint = position.checkpoint as number | undefined;
        const frame = {
          id: shape.name,
          shape: view.shape,
          sinceCheckpoint: position.checkpoint,
          sinceEpoch: position.epoch,
          sinceVersion: position.version,
        };
        const frames = await ask(run, client, frame);
        expect(
          frames.filter(({ type }) => type === "pokeStart"),
          name,
        ).toHaveLength(1);
        expect(
          frames.filter(({ reset }) => reset === true),
          name,
        ).toHaveLength(isReset ? 1 : 0);
        for (const answer of frames) client.views.apply(answer);
        expect(client.views.dropped.size, name).toBe(0);
        run.check(client, name);
        const again = await ask(run, client, client.views.subscribe(shape.name, view.shape));
        expect(
          again.some(({ reset }) => reset === true),
          `${name}, again`,
        ).toBe(false);
        for (const answer of again) client.views.apply(answer);
        await mutate(run);
        run.check(client, `after ${name}`);
      };
      const here = (): Position => ({ checkpoint: view.checkpoint, epoch: view.epoch, version: view.version });
      const head = (): number => run.shard.log.head;

      await comeBack("at the head", { ...here(), checkpoint: head() }, false);
      run.shard.trim(head());
      // What it has is still right only if nothing changed since: it has to be at what the log reaches back to.
      await comeBack("at the floor", { ...here(), checkpoint: head() }, false);
      await comeBack("never", { checkpoint: undefined, epoch: undefined, version: undefined }, true);
      for (const garbage of OTHERS) await comeBack(`at ${String(garbage)}`, { ...here(), checkpoint: garbage }, true);
      await comeBack("past the head", { ...here(), checkpoint: head() + 1 }, true);
      await comeBack("in another epoch", { ...here(), epoch: "another" }, true);
      await comeBack("in no epoch", { ...here(), epoch: undefined }, true);
      await comeBack("from another shard", foreign, true);
      await comeBack("with another condition", { ...here(), version: "another" }, true);
      await comeBack("with no version", { ...here(), version: undefined }, true);
      const before = here();
      for (let count = 0; count < 3; count += 1) await comeBack("in between", here(), false);
      while (head() - Number(before.checkpoint) < 3) await mutate(run);
      run.shard.trim(head());
      await comeBack("before the floor", before, true);
      run.shard.log.renewEpoch();
      await comeBack("after the timeline forked", here(), true);
    },
    60_000,
  );

  it("continues with what changed at any position that the log has", async () => {
    const run = await start(seed, 20, 10);
    const client = run.clients.find(({ shapes }) => shapes.length > 2) as SimulatedClient;
    for (let count = 0; count < 60; count += 1) {
      run.shard.close(client.connection);
      client.views.disconnect();
      client.connection = run.shard.connect(client.connection.identity);
      for (let missed = run.random.below(6); missed > 0; missed -= 1) await mutate(run);
      if (run.random.chance(0.3)) await run.shard.sleep();
      for (const shape of client.shapes) await run.subscribe(client, shape);
      run.check(client, `after absence ${count}`);
      await mutate(run);
      run.check(client, `after return ${count}`);
    }
  }, 60_000);
});

describe("the decision", () => {
  const shard = { head: 10, epoch: "e", version: "v" };
  it.each([
    ["new", { checkpoint: undefined, epoch: "e", version: "v" }],
    ...OTHERS.map((checkpoint) => ["garbage", { checkpoint, epoch: "e", version: "v" }] as const),
    ["epoch", { checkpoint: 3, epoch: "f", version: "v" }],
    ["ahead", { checkpoint: 11, epoch: "e", version: "v" }],
    ["version", { checkpoint: 10, epoch: "e", version: "w" }],
    [undefined, { checkpoint: 10, epoch: "e", version: "v" }],
    [undefined, { checkpoint: 0, epoch: "e", version: "v" }],
  ] as const)("%s for %o", (cause, view) => {
    expect(causeOfReset(view, shard)).toBe(cause);
  });
});
