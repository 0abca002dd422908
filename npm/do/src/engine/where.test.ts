import { defineSchema, defineTable, initLunora, v } from "@lunora/server";
import type { LunoraDefinition } from "@lunora/server";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import type { Loose } from "../../testing/loose.ts";
import { MemoryShard } from "../../testing/memory-shard.ts";

/** Conditions with something missing, and whether they hold for the row `{ owner: "ann", n: 1 }`. Written in code: `undefined` does not travel. */
const CONDITIONS: Record<string, readonly [where: object, holds: boolean]> = {
  column: [{ owner: undefined }, false],
  "one of two columns": [{ owner: "ann", n: undefined }, false],
  operator: [{ owner: { eq: undefined } }, false],
  "one of two operators": [{ n: { gte: 0, lt: undefined } }, false],
  "negative operator": [{ owner: { ne: undefined } }, false],
  list: [{ owner: { in: undefined } }, false],
  AND: [{ AND: undefined }, false],
  OR: [{ OR: undefined }, false],
  NOT: [{ NOT: undefined }, false],
  "part of AND": [{ AND: [{ owner: "ann" }, undefined] }, false],
  "part of OR": [{ OR: [undefined, { owner: "ben" }] }, false],
  "other part of OR": [{ OR: [{ owner: undefined }, { owner: "ann" }] }, true],
  "column that is negated": [{ NOT: { owner: undefined } }, true],
  nothing: [{}, true],
};

const { query, mutation } = initLunora.dataModel<Loose>().create();
const name = { name: v.string() };
const whereOf = ({ args }: Loose): object => (CONDITIONS[args.name] as readonly [object, boolean])[0];
const handlers: Record<string, Loose> = {
  add: mutation
    .input({ n: v.number() })
    .mutation(({ ctx, args }: Loose) => ctx.db.rows.insert({ owner: "ann", ...args })),
  find: query.input(name).query(async (call: Loose) => {
    const { rows } = call.ctx.db;
    const where = whereOf(call);
    return [(await rows.findMany({ where })).length, await rows.count({ where }), await rows.exists({ where })];
  }),
  remove: mutation.input(name).mutation((call: Loose) => call.ctx.db.rows.deleteWhere({ where: whereOf(call) })),
};
const definition: LunoraDefinition = {
  schema: defineSchema({ rows: defineTable({ owner: v.optional(v.string()), n: v.number() }) }),
  functions: Object.fromEntries(
    Object.entries(handlers).map(([exportName, { kind, visibility }]) => [
      `w:${exportName}`,
      { kind, visibility, address: { kind: "root" }, module: async () => handlers, exportName } as const,
    ]),
  ),
  app: {},
};

let shard: MemoryShard;

beforeEach(async () => {
  shard = await new MemoryShard(definition).open();
});

afterEach(() => shard.sqlite.close());

const result = async (path: string, args: object): Promise<Loose> => {
  const answer = await shard.call(path, args);
  expect(answer.ok, JSON.stringify(answer.body)).toBe(true);
  return answer.body.result;
};

describe("a condition that is `undefined` matches nothing", () => {
  test.each(Object.entries(CONDITIONS))("%s", async (condition, [, holds]) => {
    const live = shard.connect();
    live.send({ type: "subscribe", id: "q", query: { functionPath: "w:find", args: { name: condition } } });
    await shard.settle();
    await result("w:add", { n: 1 });
    const found = holds ? [1, 1, true] : [0, 0, false];
    expect(await result("w:find", { name: condition })).toEqual(found);
    await shard.settle();
    // The footprint says the same.
    const heard = live.frames.filter(({ type }) => type === "data").map(({ data }) => data);
    expect(heard).toEqual(holds ? [[0, 0, false], found] : [[0, 0, false]]);
    await result("w:remove", { name: condition });
    expect(await result("w:find", { name: "nothing" })).toEqual(holds ? [0, 0, false] : [1, 1, true]);
  });
});
