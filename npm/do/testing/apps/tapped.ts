// An app in which everything happens that an observer is told of.
import { admin, createShardRegistryObject, shaping, streams } from "@lunora/do";
import type { ShardRegistryObjectClass } from "@lunora/do";
import { LunoraError } from "@lunora/errors";
import { adminRoutes } from "@lunora/runtime";
import { defineApp, defineSchema, defineShape, defineTable, initLunora, v } from "@lunora/server";
import type { LunoraDefinition } from "@lunora/server";

import type { Loose } from "../loose.ts";
import { functionsOf, observedShard, observedWorker } from "../observed-app.ts";

const { query, mutation, action } = initLunora.dataModel<Loose>().create();

const schema = defineSchema({
  notes: defineTable({ channel: v.string(), text: v.string() }).index("by_channel", ["channel"]),
  parents: defineTable({ name: v.string() }).relations((r) => ({
    children: r.many("children", { field: "parentId" }),
  })),
  children: defineTable({ parentId: v.id("parents") })
    .index("by_parent", ["parentId"])
    .relations((r) => ({ parent: r.one("parents", { field: "parentId", onDelete: "cascade" }) })),
  audited: defineTable({ name: v.string() }).triggers((t: Loose) => ({
    note: t.afterInsert(async ({ ctx, document }: Loose) =>
      ctx.db.insert("notes", { channel: "audit", text: document.name }),
    ),
  })),
  fleeting: defineTable({ until: v.number() }).ttl("until"),
});

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

const handlers = {
  add: mutation
    .input({ channel: v.string(), text: v.string() })
    .mutation(async ({ ctx, args }: Loose) => ctx.db.insert("notes", args)),
  /** Takes its time, so that what comes meanwhile is one group. */
  slow: mutation.input({ ms: v.number() }).mutation(async ({ args }: Loose) => pause(args.ms)),
  fail: mutation.mutation(async ({ ctx }: Loose) => {
    await ctx.db.insert("notes", { channel: "fail", text: "taken back" });
    throw new LunoraError("CONFLICT", "refused after a write");
  }),
  family: mutation.input({ children: v.number() }).mutation(async ({ ctx, args }: Loose) => {
    const parentId = await ctx.db.insert("parents", { name: "p" });
    for (let index = 0; index < args.children; index += 1) await ctx.db.insert("children", { parentId });
    return parentId;
  }),
  remove: mutation.input({ id: v.string() }).mutation(async ({ ctx, args }: Loose) => ctx.db.parents.delete(args.id)),
  audit: mutation
    .input({ name: v.string() })
    .mutation(async ({ ctx, args }: Loose) => ctx.db.insert("audited", { name: args.name })),
  many: mutation.input({ rows: v.number(), text: v.string() }).mutation(async ({ ctx, args }: Loose) => {
    await ctx.db.notes.insertMany(Array.from({ length: args.rows }, () => ({ channel: "many", text: args.text })));
  }),
  fleet: mutation.mutation(async ({ ctx }: Loose) => ctx.db.insert("fleeting", { until: Date.now() - 1 })),
  say: mutation.input({ text: v.string() }).mutation(async ({ args }: Loose) => {
    await pause(1);
    console.log("said", args.text, { in: "mutation" });
  }),
  /** Writes so many lines, and then a row. */
  chatter: mutation.input({ lines: v.number() }).mutation(async ({ ctx, args }: Loose) => {
    for (let line = 1; line <= args.lines; line += 1) console.log(`line ${line}`);
    return ctx.db.insert("notes", { channel: "chatter", text: `after ${args.lines} lines` });
  }),
  shout: query.input({ text: v.string() }).query(async ({ args }: Loose) => {
    console.error(new Error(args.text));
    return args.text;
  }),
  list: query.input({ channel: v.string() }).query(async ({ ctx, args }: Loose) =>
    ctx.db
      .query("notes")
      .withIndex("by_channel", (range: Loose) => range.eq("channel", args.channel))
      .collect(),
  ),
  act: action.action(async ({ ctx }: Loose) => {
    console.warn("acting");
    return ctx.runMutation({ path: "tapped:add" }, { channel: "acted", text: "by an action" });
  }),
  deep: action.action(async ({ ctx }: Loose) => {
    await ctx.runAction({ path: "tapped:act" }, {});
    return ctx.runQuery({ path: "tapped:list" }, { channel: "acted" });
  }),
  loud: query.input({ channel: v.string() }).query(async ({ ctx, args }: Loose) => {
    const rows = await ctx.db
      .query("notes")
      .withIndex("by_channel", (range: Loose) => range.eq("channel", args.channel))
      .collect();
    console.log(`${rows.length} rows`);
    return rows;
  }),
  count: query.input({ to: v.number() }).stream(async function* ({ args }: Loose) {
    if (args.to < 0) throw new LunoraError("CONFLICT", "nothing to count");
    for (let n = 1; n <= args.to; n += 1) yield n;
    console.log(`counted ${args.to}`);
  }),
};

const shapes = {
  channel: defineShape({
    table: "notes",
    args: { channel: v.string() },
    where: (_ctx: Loose, { channel }: Loose) => ({ channel }),
  }),
};

const definition: LunoraDefinition = {
  schema,
  functions: functionsOf("tapped", handlers, { act: { kind: "worker" }, deep: { kind: "worker" } }),
  shapes: {
    channel: { table: "notes", address: { kind: "root" }, module: async () => shapes, exportName: "channel" },
  },
  admin,
  shaping,
  streams,
  app: defineApp({
    resolveIdentity: ({ token }) => (token === undefined ? null : { userId: token }),
    authorizeShard: () => true,
  }),
};

export class ShardDO extends observedShard(definition) {}

export const ShardRegistryDO: ShardRegistryObjectClass = createShardRegistryObject(definition);

export default observedWorker(definition, adminRoutes());
