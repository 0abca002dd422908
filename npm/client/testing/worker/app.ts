// Rows in channels of worlds, one world a shard, as the reference shard has them. Runs in workerd.
import { admin, createShardObject, createShardRegistryObject, shaping } from "@lunora/do";
import type { ShardObjectClass, ShardRegistryObjectClass } from "@lunora/do";
import { LunoraError } from "@lunora/errors";
import { adminRoutes, createWorker } from "@lunora/runtime";
import { defineApp, defineMutator, defineSchema, defineShape, defineTable, initLunora, v } from "@lunora/server";
import type { FunctionRegistry, LunoraDefinition, ShapeRegistry } from "@lunora/server";

import type { Loose } from "../../../do/testing/loose.ts";

const { query, mutation } = initLunora.dataModel<Loose>().create();

const written = { world: v.string(), tag: v.string(), author: v.string() };
const schema = defineSchema({
  rows: defineTable({ ...written, channel: v.string() })
    .shardBy("world")
    .index("by_channel", ["channel"]),
  /** Every mutation that took effect, in order. */
  effects: defineTable({ ...written, place: v.number() }).shardBy("world"),
});

async function note(ctx: Loose, { world, tag, author }: Loose): Promise<void> {
  if (((await ctx.auth.getIdentity())?.userId ?? "") !== author)
    throw new LunoraError("WRONG_WRITER", `${author} wrote ${tag}`);
  const effects = await ctx.db.query("effects").collect();
  await ctx.db.insert("effects", { world, tag, author, place: effects.length });
}

async function add(ctx: Loose, args: Loose): Promise<unknown> {
  const id = await ctx.db.insert("rows", args);
  await note(ctx, args);
  return id;
}

const inWorld = { world: v.string() };
const exports = {
  list: query.input({ ...inWorld, channel: v.string() }).query(({ ctx, args }: Loose) =>
    ctx.db
      .query("rows")
      .withIndex("by_channel", (q: Loose) => q.eq("channel", args.channel))
      .collect(),
  ),
  count: query.input(inWorld).query(async ({ ctx }: Loose) => (await ctx.db.query("rows").collect()).length),
  effects: query.input(inWorld).query(({ ctx }: Loose) => ctx.db.query("effects").collect()),
  add: mutation.input({ ...written, channel: v.string() }).mutation(({ ctx, args }: Loose) => add(ctx, args)),
  remove: mutation.input({ ...written, id: v.string() }).mutation(async ({ ctx, args }: Loose) => {
    if (await ctx.db.get("rows", args.id)) await ctx.db.delete("rows", args.id);
    await note(ctx, args);
  }),
  fail: mutation.input(written).mutation(async ({ ctx, args }: Loose) => {
    await note(ctx, args);
    throw new LunoraError("CONFLICT", "It always fails");
  }),
  put: defineMutator({ args: { ...written, channel: v.string() }, apply: () => {}, server: add }),
  inChannel: defineShape({
    table: "rows",
    args: { ...inWorld, channel: v.string() },
    where: (_: Loose, { channel }: Loose) => ({ channel }),
  }),
};

const module = async (): Promise<Record<string, unknown>> => exports;
const address = { kind: "argument", argument: "world", field: "world" } as const;
const of = { visibility: "public", module, address } as const;

const functions: FunctionRegistry = {
  "rows:list": { ...of, kind: "query", exportName: "list" },
  "rows:count": { ...of, kind: "query", exportName: "count" },
  "rows:effects": { ...of, kind: "query", exportName: "effects" },
  "rows:add": { ...of, kind: "mutation", exportName: "add" },
  "rows:remove": { ...of, kind: "mutation", exportName: "remove" },
  "rows:fail": { ...of, kind: "mutation", exportName: "fail" },
  "mutators:put": { ...of, kind: "mutation", exportName: "put" },
};
const shapes: ShapeRegistry = { inChannel: { table: "rows", address, module, exportName: "inChannel" } };

const app = defineApp({
  authorizeShard: () => true,
  resolveIdentity: ({ token }) => (token === undefined ? null : { userId: token }),
});
const definition: LunoraDefinition = { schema, functions, shapes, shaping, admin, app };
export const ShardDO: ShardObjectClass = createShardObject(definition);
export const ShardRegistryDO: ShardRegistryObjectClass = createShardRegistryObject(definition);
export default createWorker(definition, { routes: adminRoutes() });
