// An app for sockets: pushes, groups, watermarks, the op-log, sleep.
import { createShardRegistryObject } from "@lunora/do";
import type { ShardRegistryObjectClass } from "@lunora/do";
import { LunoraError } from "@lunora/errors";
import { defineApp, defineSchema, defineTable, initLunora, v } from "@lunora/server";
import type { LunoraDefinition } from "@lunora/server";
import type { Loose } from "../loose.ts";
import { functionsOf, observedShard, observedWorker } from "../observed-app.ts";

const { query, mutation, internalQuery, internalMutation } = initLunora.dataModel<Loose>().create();

const schema = defineSchema({
  notes: defineTable({ text: v.string(), n: v.optional(v.number()) }),
  keys: defineTable({ key: v.string() }).index("by_key", ["key"], { unique: true }),
  parents: defineTable({ name: v.string() }).relations((r) => ({
    children: r.many("children", { field: "parentId" }),
  })),
  children: defineTable({ parentId: v.id("parents"), name: v.string() })
    .index("by_parent", ["parentId"])
    .relations((r) => ({ parent: r.one("parents", { field: "parentId", onDelete: "cascade" }) })),
  audited: defineTable({ name: v.string() }).triggers((t: Loose) => ({
    note: t.afterInsert(async ({ ctx, document }: Loose) => ctx.db.insert("notes", { text: `audit ${document.name}` })),
  })),
  messages: defineTable({ room: v.string(), text: v.string() }).shardBy("room"),
});

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

const handlers = {
  add: mutation
    .input({ text: v.string(), n: v.optional(v.number()) })
    .mutation(async ({ ctx, args }: Loose) => ctx.db.insert("notes", args)),
  quiet: mutation.input({ text: v.string() }).mutation(async ({ ctx, args }: Loose) => {
    await ctx.db.insert("notes", args);
  }),
  addTwo: mutation.mutation(async ({ ctx }: Loose) => [
    await ctx.db.insert("notes", { text: "one" }),
    await ctx.db.insert("notes", { text: "two" }),
    await ctx.db.insert("parents", { name: "three" }),
  ]),
  fail: mutation.input({ text: v.string() }).mutation(async ({ ctx, args }: Loose) => {
    await ctx.db.insert("notes", args);
    throw new LunoraError("CONFLICT", "refused after a write", { data: { text: args.text } });
  }),
  key: mutation.input({ key: v.string() }).mutation(async ({ ctx, args }: Loose) => ctx.db.insert("keys", args)),
  slow: mutation.input({ text: v.string(), ms: v.number() }).mutation(async ({ ctx, args }: Loose) => {
    await ctx.db.insert("notes", { text: args.text });
    await pause(args.ms);
    await ctx.db.insert("notes", { text: `${args.text} again` });
  }),
  hang: mutation.input({ text: v.string() }).mutation(async ({ ctx, args }: Loose) => {
    await ctx.db.insert("notes", args);
    await new Promise(() => {});
  }),
  lateWriter: mutation.input({ text: v.string() }).mutation(async ({ ctx, args }: Loose) => {
    await ctx.db.insert("notes", { text: `${args.text} first` });
    // Awaits a real timer before it writes again, and nobody awaits it.
    void pause(30).then(() => ctx.db.insert("notes", { text: `${args.text} late` }).catch(() => {}));
  }),
  forget: mutation.input({ text: v.string() }).mutation(async ({ ctx, args }: Loose) => {
    void ctx.db.insert("audited", { name: args.text });
  }),
  family: mutation.input({ name: v.string(), children: v.number() }).mutation(async ({ ctx, args }: Loose) => {
    const id = await ctx.db.insert("parents", { name: args.name });
    for (let index = 0; index < args.children; index += 1)
      await ctx.db.insert("children", { parentId: id, name: `${args.name} ${index}` });
    return id;
  }),
  /** The same, over several turns of the event loop. */
  slowFamily: mutation.input({ name: v.string(), children: v.number() }).mutation(async ({ ctx, args }: Loose) => {
    const id = await ctx.db.insert("parents", { name: args.name });
    for (let index = 0; index < args.children; index += 1) {
      await pause(0);
      await ctx.db.insert("children", { parentId: id, name: `${args.name} ${index}` });
    }
    return id;
  }),
  removeFamily: mutation
    .input({ id: v.string() })
    .mutation(async ({ ctx, args }: Loose) => ctx.db.parents.delete(args.id)),
  removeFamilyThenFail: mutation.input({ id: v.string() }).mutation(async ({ ctx, args }: Loose) => {
    await ctx.db.parents.delete(args.id);
    throw new LunoraError("CONFLICT", "refused after a cascade");
  }),
  many: mutation.input({ rows: v.number(), text: v.optional(v.string()) }).mutation(async ({ ctx, args }: Loose) => {
    await ctx.db.notes.insertMany(Array.from({ length: args.rows }, (_, n) => ({ text: args.text ?? `many ${n}`, n })));
    return args.rows;
  }),
  grow: mutation
    .input({ length: v.number(), unit: v.string() })
    .mutation(async ({ ctx, args }: Loose) => ctx.db.insert("notes", { text: args.unit.repeat(args.length) })),
  regrow: mutation
    .input({ id: v.string(), length: v.number(), unit: v.string() })
    .mutation(async ({ ctx, args }: Loose) => ctx.db.notes.patch(args.id, { text: args.unit.repeat(args.length) })),
  long: mutation.input({ length: v.number() }).mutation(async ({ args }: Loose) => "x".repeat(args.length)),
  whoAmI: mutation.mutation(async ({ ctx }: Loose) => ctx.auth.getIdentity()),
  add2Room: mutation
    .input({ room: v.string(), text: v.string() })
    .mutation(async ({ ctx, args }: Loose) => ctx.db.insert("messages", args)),
  list: query.query(async ({ ctx }: Loose) => (await ctx.db.query("notes").collect()).map((row: Loose) => row.text)),
  slowCount: query.input({ ms: v.number() }).query(async ({ ctx, args }: Loose) => {
    const before = await ctx.db.notes.count();
    await pause(args.ms);
    return [before, await ctx.db.notes.count()];
  }),
  secret: internalMutation.mutation(async () => "secret"),
  secretList: internalQuery.query(async () => "secret"),
};

const functions = functionsOf("live", handlers, {
  add2Room: { kind: "argument", argument: "room", field: "room" },
});

const app = defineApp({
  allowedOrigins: ["https://friend.example"],
  resolveIdentity: ({ token }) => {
    if (token === undefined) return null;
    if (token === "bad") throw new LunoraError("UNAUTHORIZED", "this token is nobody's");
    if (token === "stale") throw new LunoraError("TOKEN_EXPIRED", "this token was somebody's");
    const [userId = "", seconds] = token.split("~");
    return { userId, ...(seconds === undefined ? {} : { expiresAt: Date.now() + Number(seconds) * 1000 }) };
  },
  authorizeShard: ({ identity, functionPath, shard }) =>
    identity?.userId !== "outcast" &&
    functionPath !== "live:key!" &&
    functionPath !== "whisper:closed" &&
    !(identity?.userId === "reader" && functionPath === "live:add") &&
    shard.value !== "locked",
  opLog: { rows: 1_000, ageMs: 60_000 },
});

const definition: LunoraDefinition = { schema, functions, app };

export class ShardDO extends observedShard(definition, { mutationDeadline: 1_500 }) {
  /** Sockets that the object holds open. */
  async sockets(): Promise<number> {
    return this.ctx.getWebSockets().filter((socket: Loose) => socket.readyState === 1).length;
  }
}

export const ShardRegistryDO: ShardRegistryObjectClass = createShardRegistryObject(definition);

export default observedWorker(definition);
