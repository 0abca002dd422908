import { defineSchema, defineTable, initLunora, v } from "@lunora/server";
import type { LunoraDefinition } from "@lunora/server";
import { expect, test } from "vitest";

import type { Loose } from "../../testing/loose.ts";
import { MemoryShard } from "../../testing/memory-shard.ts";
import { WritePause } from "./admin/write-pause.ts";

const { mutation, query } = initLunora.dataModel<Loose>().create();

const handlers: Record<string, unknown> = {
  add: mutation
    .input({ at: v.number() })
    .mutation(async ({ ctx, args }: Loose) => ctx.db.insert("visits", { at: args.at })),
  count: query.query(async ({ ctx }: Loose) => (await ctx.db.query("visits").collect()).length),
};
const definition: LunoraDefinition = {
  schema: defineSchema({ visits: defineTable({ at: v.number() }).ttl("at", { after: 1_000 }) }),
  functions: {
    f: [
      async () => handlers,
      '{"add":["mutation","public",{"kind":"root"}],"count":["query","public",{"kind":"root"}]}',
    ],
  },
  app: {},
};

/** The platform's alarm: it goes when it was answered, also when its very millisecond was set anew meanwhile. */
class Alarm {
  armed: number | null = null;

  async answer(shard: MemoryShard, early: number): Promise<void> {
    const answered = this.armed;
    if (answered === null) throw new Error("nobody would ring");
    shard.now = answered - early;
    await shard.engine.ring();
    if (this.armed === answered) this.armed = null;
  }
}

async function open(): Promise<{ alarm: Alarm; shard: MemoryShard }> {
  const alarm = new Alarm();
  const shard = new MemoryShard(definition);
  Object.assign(shard.host, {
    getAlarm: async () => alarm.armed,
    setAlarm: async (time: number) => void (alarm.armed = time),
  });
  await shard.open();
  return { alarm, shard };
}

test.each([0, 1])("what expires goes, also when the alarm rings %d ms early", async (early) => {
  const { alarm, shard } = await open();
  for (let index = 0; index < 3; index += 1) await shard.call("f:add", { at: shard.now + index * 500 });
  for (let rings = 0; rings < 20; rings += 1) {
    const { result } = (await shard.call("f:count")).body;
    if (result === 0) return;
    await alarm.answer(shard, early);
  }
  expect.fail("rows are left");
});

test("an alarm that rings long before its time, as somebody else armed it, does not put the others off", async () => {
  const { alarm, shard } = await open();
  await shard.call("f:add", { at: shard.now + 3_600_000 });
  await alarm.answer(shard, 3_600_000);
  await shard.call("f:add", { at: shard.now });
  expect(alarm.armed).toBe(shard.now + 1_000);
});

test("nothing goes while writes are paused, and all of it afterwards", async () => {
  const { alarm, shard } = await open();
  const pause = new WritePause({ ...shard.host, engine: shard.engine } as Loose);
  await shard.call("f:add", { at: shard.now });
  const until = shard.now + 600_000;
  await pause.begin({ id: "export", until });
  while ((alarm.armed as number) < until) {
    await alarm.answer(shard, 0);
    expect((await shard.call("f:count")).body.result).toBe(1);
    pause.assertHeld("export");
  }
  await alarm.answer(shard, 0);
  expect((await shard.call("f:count")).body.result).toBe(0);
});
