import { defineSchema, defineTable, initLunora, v } from "@lunora/server";
import type { LunoraDefinition } from "@lunora/server";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import type { Loose } from "../../../testing/loose.ts";
import { MemoryShard } from "../../../testing/memory-shard.ts";
import type { MemoryClient } from "../../../testing/memory-shard.ts";

const { query, mutation } = initLunora.dataModel<Loose>().create();

/** How often each query has run. */
let runs: Record<string, number> = {};
const counted = (name: string, read: (db: Loose) => Promise<unknown>): Loose =>
  query.query(async ({ ctx }: Loose) => {
    runs[name] = (runs[name] ?? 0) + 1;
    return read(ctx.db);
  });
const handlers: Record<string, Loose> = {
  add: mutation
    .input({ table: v.string(), name: v.string() })
    .mutation(({ ctx, args: { table, name } }: Loose) => ctx.db[table].insert({ name })),
  apples: counted("apples", (db) => db.apples.count()),
  pears: counted("pears", (db) => db.pears.count()),
  /** Looks at pears only once there is an apple. */
  both: counted("both", async (db) => ((await db.apples.count()) === 0 ? 0 : 10 + (await db.pears.count()))),
  fails: counted("fails", async () => {
    throw new Error("of no table");
  }),
};
const definition: LunoraDefinition = {
  schema: defineSchema({ apples: defineTable({ name: v.string() }), pears: defineTable({ name: v.string() }) }),
  functions: Object.fromEntries(
    Object.entries(handlers).map(([exportName, { kind, visibility }]) => [
      `s:${exportName}`,
      { kind, visibility, address: { kind: "root" }, module: async () => handlers, exportName } as const,
    ]),
  ),
  app: {},
};

let shard: MemoryShard;
const add = async (table: string): Promise<void> => {
  await shard.call("s:add", { table, name: "x" });
  await shard.settle();
};
const last = (client: MemoryClient, id: string): unknown => client.frames.findLast((frame) => frame.id === id)?.data;
const subscribe = (client: MemoryClient, name: string, id = name): void =>
  client.send({ type: "subscribe", id, query: { functionPath: `s:${name}`, args: {} } });

async function sleep(): Promise<void> {
  await shard.sleep();
  await shard.settle();
  runs = {};
}

beforeEach(async () => {
  shard = await new MemoryShard(definition).open();
});

afterEach(() => shard.sqlite.close());

describe.each([
  ["kept with the socket", 1],
  ["kept in tables", 200],
])("after sleep, %s", (_, copies) => {
  test("a change runs the queries that read its table, and no others", async () => {
    const client = shard.connect("c");
    for (const name of ["apples", "pears"])
      for (let copy = 0; copy < copies; copy += 1)
        subscribe(client, name, copy === 0 ? name : `${name} ${copy} ${"x".repeat(30)}`);
    await shard.settle();
    await sleep();
    await add("pears");
    expect(runs).toEqual({ pears: 1 });
    expect([last(client, "apples"), last(client, "pears")]).toEqual([0, 1]);
    await add("apples");
    expect(runs).toEqual({ pears: 1, apples: 1 });
    expect(last(client, "apples")).toBe(1);
  });
});

test("a table that a query has come to read since it was subscribed to is known after sleep", async () => {
  const [one, other] = [shard.connect("one", { userId: "u" }), shard.connect("other")];
  for (const client of [one, other]) subscribe(client, "both");
  await shard.settle();
  await add("apples");
  await sleep();
  await add("pears");
  expect(runs["both"]).toBeGreaterThan(0);
  expect([last(one, "both"), last(other, "both")]).toEqual([11, 11]);
});

test("a query of which it is not known what it reads is run at any change", async () => {
  const logged = vi.spyOn(console, "error").mockImplementation(() => {});
  const client = shard.connect("c");
  subscribe(client, "fails");
  await shard.settle();
  await sleep();
  await add("pears");
  expect(runs).toEqual({ fails: 1 });
  logged.mockRestore();
});
