// An app for sockets: pushes, groups, watermarks, the op-log, sleep.
import { createShardObject, createShardRegistryObject } from "@lunora/do";
import type { ShardObject, ShardRegistryObjectClass } from "@lunora/do";
import { LunoraError } from "@lunora/errors";
import { createWorker } from "@lunora/runtime";
import { defineApp, defineSchema, defineTable, initLunora, v } from "@lunora/server";
import type { FunctionRegistry, LunoraDefinition } from "@lunora/server";
import type { Loose } from "../loose.ts";

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

const module = async (): Promise<Record<string, unknown>> => handlers;
const root = { kind: "root" } as const;
const byRoom = { kind: "argument", argument: "room", field: "room" } as const;

const functions: FunctionRegistry = Object.fromEntries(
  Object.entries(handlers).map(([exportName, { kind, visibility }]) => [
    `live:${exportName}`,
    { kind, visibility, address: exportName === "add2Room" ? byRoom : root, module, exportName },
  ]),
);

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

/** The class with the fields that the platform's own has. */
const ShardBase = createShardObject(definition, { mutationDeadline: 1_500 }) as unknown as new (
  context: never,
  env: never,
) => ShardObject & { readonly ctx: Loose };

let constructions = 0;

export class ShardDO extends ShardBase {
  readonly construction = (constructions += 1);

  /** Rows of a statement, for looking behind the store. */
  async sql(text: string): Promise<unknown> {
    return this.ctx.storage.sql.exec(text).toArray();
  }

  /** How many objects of this class the process has made. */
  async constructed(): Promise<number> {
    return constructions;
  }

  /** Sockets that the object holds open. */
  async sockets(): Promise<number> {
    return this.ctx.getWebSockets().filter((socket: Loose) => socket.readyState === 1).length;
  }

  async ringNow(): Promise<unknown> {
    await this.ctx.storage.setAlarm(Date.now());
    return null;
  }
}

export const ShardRegistryDO: ShardRegistryObjectClass = createShardRegistryObject(definition);

const worker = createWorker(definition);

export default {
  async fetch(request: Request, env: Loose, context: Loose): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== "/test") return worker.fetch(request, env, context);
    const stub = env.SHARD.getByName(searchParams.get("object") ?? "__root__");
    const { method, argument } = (await request.json()) as { method: string; argument: unknown };
    return Response.json(await stub[method](argument));
  },
};
