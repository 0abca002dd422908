import { afterEach, expect, it } from "vitest";

import { seed } from "../../../../test-seed.ts";
import { Random } from "../../../testing/random.ts";
import { ShapeRun } from "../../../testing/shape-run.ts";
import { randomScenario } from "../../../testing/shape-scenario.ts";
import type { ShapeViews } from "../../../testing/shape-view.ts";

const CUTS = 1_000;

let run: ShapeRun;
afterEach(() => run.shard.stop());

/** Everything that a user of the views could see. */
const visible = (views: ShapeViews): string =>
  JSON.stringify(Array.from(views.views, ([id, { rows }]) => [id, [...rows].sort()]));

it("shows no part of a poke, wherever its stream is cut, and is continued from there", async () => {
  const random = new Random(seed);
  run = new ShapeRun(random, randomScenario(random, 40));
  await run.subscribeAll();
  let cuts = 0;
  let whole = 0;
  while (cuts < CUTS) {
    const before = run.clients.map(({ views }) => views.copy());
    await run.mutate();
    run.advance();
    for (const [index, client] of run.clients.entries()) {
      const texts = client.connection.takeTexts();
      for (let cut = 0; texts.length > 0 && cut <= texts.length; cut += 1) {
        const views = (before[index] as ShapeViews).copy();
        const state = visible(views);
        for (const text of texts.slice(0, cut)) views.apply(JSON.parse(text));
        const isWhole = cut === texts.length;
        if (!isWhole) expect(visible(views)).toBe(state);
        else if (visible(views) !== state) whole += 1;
        // The socket is gone. Another one for the same views.
        views.disconnect();
        const connection = run.shard.connect(client.connection.identity);
        const resets = views.resets;
        for (const { name } of client.shapes) {
          const view = views.views.get(name) as NonNullable<ReturnType<typeof views.views.get>>;
          await run.shard.subscribe(connection, views.subscribe(name, view.shape));
          for (const frame of connection.take()) views.apply(frame);
        }
        run.shard.close(connection);
        run.check({ ...client, views }, `after cut ${cut} of ${texts.length}`);
        // Only a condition that has changed since is a reason to begin again.
        if (isWhole) expect(views.resets).toBe(resets);
        cuts += 1;
      }
      for (const text of texts) client.views.apply(JSON.parse(text));
      run.check(client, "uncut");
    }
  }
  expect(whole).toBeGreaterThan(20);
}, 120_000);

it("begins again when the first poke of a view was cut", async () => {
  const random = new Random(seed);
  run = new ShapeRun(random, randomScenario(random, 10));
  for (let count = 0; count < 30; count += 1) await run.mutate();
  for (const shape of run.scenario.shapes) {
    for (const client of run.clients) {
      for (let cut = 0; cut < 3; cut += 1) {
        client.shapes.splice(0);
        client.views.views.delete(shape.name);
        await run.shard.subscribe(
          client.connection,
          client.views.subscribe(shape.name, { name: shape.name, args: {} }),
        );
        const frames = client.connection.take();
        for (const frame of frames.slice(0, frames[0].type === "error" ? 0 : cut)) client.views.apply(frame);
        expect(client.views.views.get(shape.name)?.rows.size).toBe(0);
        await run.reconnect(client);
        await run.subscribe(client, shape);
        run.check(client, `after cut ${cut}`);
      }
    }
  }
}, 60_000);
