// An app with a table for every feature of the store, driven by lists of steps.
import { createShardObject, createShardRegistryObject } from "@lunora/do";
import type { ShardObject, ShardRegistryObjectClass } from "@lunora/do";
import { createWorker } from "@lunora/runtime";
import { defineApp, defineSchema, defineTable, initLunora, v } from "@lunora/server";
import type { FunctionRegistry, LunoraDefinition } from "@lunora/server";

import { databaseFactory } from "../../src/engine/database.ts";
import { findStatements } from "../../src/engine/find.ts";
import { withoutIndexNames } from "../../src/engine/globals/overlay.ts";
import { Schema } from "../../src/engine/schema.ts";
import { Session } from "../../src/engine/session.ts";
import { scopeOf } from "../../src/engine/shard-scope.ts";
import { render } from "../../src/engine/statement.ts";
import { asGlobal } from "../all-global.ts";
import { buildWalk, doStep } from "../steps.ts";
import type { Loose } from "../loose.ts";

const { query, mutation, internalQuery, internalMutation } = initLunora.dataModel<Loose>().create();

const schema = defineSchema({
  values: defineTable({
    text: v.optional(v.string()),
    number: v.optional(v.number()),
    flag: v.optional(v.boolean()),
    big: v.optional(v.bigint()),
    bin: v.optional(v.bytes()),
    mixed: v.optional(v.union(v.string(), v.number(), v.bigint(), v.boolean(), v.bytes())),
    anything: v.optional(v.any()),
    list: v.optional(v.array(v.string())),
    object: v.optional(v.object({ inner: v.optional(v.bigint()) })),
    record: v.optional(v.record(v.string(), v.number())),
    nothing: v.optional(v.string().nullable()),
    place: v.optional(v.geoPoint()),
    time: v.optional(v.timestamp()),
    literal: v.optional(v.literal("only")),
  })
    .index("by_text", ["text"])
    .index("by_number", ["number"])
    .index("by_flag", ["flag"])
    .index("by_big", ["big"])
    .index("by_bin", ["bin"])
    .index("by_mixed", ["mixed"])
    .index("by_text_number", ["text", "number"])
    .index("by_time_creation", ["time", "_creationTime"])
    .index("by_object", ["object"]),
  users: defineTable({
    email: v.string(),
    name: v.string(),
    nick: v.optional(v.string()),
    score: v.optional(v.bigint()),
  })
    .index("by_email", ["email"], { unique: true })
    .index("by_nick", ["nick"], { unique: true })
    .index("by_score", ["score"], { unique: true })
    .index("by_name", ["name"])
    .relations((r) => ({
      posts: r.many("posts", { field: "authorId" }),
      invoices: r.many("invoices", { field: "userId" }),
    })),
  posts: defineTable({ authorId: v.id("users"), editorId: v.optional(v.id("users")), title: v.string() })
    .index("by_author", ["authorId"])
    .relations((r) => ({
      author: r.one("users", { field: "authorId", onDelete: "cascade" }),
      editor: r.one("users", { field: "editorId", onDelete: "set null" }),
      comments: r.many("comments", { field: "postId" }),
    })),
  comments: defineTable({ postId: v.id("posts"), parentId: v.optional(v.id("comments")), body: v.string() }).relations(
    (r) => ({
      post: r.one("posts", { field: "postId", onDelete: "cascade" }),
      parent: r.one("comments", { field: "parentId", onDelete: "cascade" }),
    }),
  ),
  invoices: defineTable({ userId: v.id("users"), postId: v.optional(v.id("posts")) }).relations((r) => ({
    user: r.one("users", { field: "userId", onDelete: "restrict" }),
    post: r.one("posts", { field: "postId", onDelete: "restrict" }),
  })),
  notes: defineTable({ title: v.string(), deletedAt: v.optional(v.number()) })
    .softDelete()
    .index("by_title", ["title"]),
  items: defineTable({ noteId: v.id("notes"), removedAt: v.number().nullable().default(null) })
    .softDelete({ field: "removedAt" })
    .relations((r) => ({ note: r.one("notes", { field: "noteId", onDelete: "cascade" }) })),
  sessions: defineTable({ expiresAt: v.number(), name: v.string() }).ttl("expiresAt"),
  tickets: defineTable({ sessionId: v.id("sessions") }).relations((r) => ({
    session: r.one("sessions", { field: "sessionId", onDelete: "cascade" }),
  })),
  drafts: defineTable({ savedAt: v.number(), deletedAt: v.optional(v.number()) })
    .ttl("savedAt", { after: 1_000 })
    .softDelete(),
  audited: defineTable({ name: v.string(), locked: v.optional(v.boolean()) })
    .index("by_name", ["name"], { unique: true })
    .triggers((t) => ({
      trim: t.beforeInsert(async ({ document }: Loose) => {
        if (document.name === "refused") throw new Error("the trigger refuses");
        return { ...document, name: document.name.trim() };
      }),
      added: t.afterInsert(async ({ ctx, document }: Loose) => {
        await ctx.db.insert("log", { text: `added ${document.name}` });
        if (document.name === "late") throw new Error("the after-trigger refuses");
      }),
      upper: t.beforeUpdate(async ({ document }: Loose) => ({ ...document, name: document.name.toUpperCase() })),
      changed: t.afterUpdate(async ({ ctx, document, previous }: Loose) => {
        await ctx.db.insert("log", { text: `changed ${previous.name} to ${document.name}` });
      }),
      guard: t.beforeDelete(async ({ previous }: Loose) => {
        if (previous.locked === true) throw new Error("locked");
      }),
      removed: t.afterDelete(async ({ ctx, previous }: Loose) => {
        await ctx.db.insert("log", { text: `removed ${previous.name}` });
      }),
    })),
  log: defineTable({ text: v.string() }),
  endless: defineTable({ step: v.number() }).triggers((t) => ({
    again: t.afterInsert(async ({ ctx, document }: Loose) => {
      await ctx.db.insert("endless", { step: document.step + 1 });
    }),
  })),
  settings: defineTable({
    key: v.string().check((value) => value.length < 10, { message: "a short key" }),
    level: v.number().default(3),
    madeAt: v.timestamp().defaultNow(),
    owner: v.string().serverDefault(({ auth }) => auth.userId ?? "nobody"),
    revision: v
      .string()
      .$onUpdateFn(() => "updated")
      .default("new"),
    extra: v.optional(v.string()),
  }),
  messages: defineTable({
    room: v.string(),
    body: v.string(),
    replyTo: v.optional(v.id("messages")),
    mentions: v.optional(v.array(v.object({ message: v.id("messages") }))),
  })
    .shardBy("room")
    .index("by_body", ["body"]),
  limits: defineTable({ name: v.string(), messageId: v.optional(v.id("messages")) }).colocated(),
  prices: defineTable({ currency: v.bigint() }).shardBy("currency"),
  everywhere: defineTable({ name: v.string() }).global(),
});

class Refusal extends Error {}

/** A `ctx` that a handler kept beyond its life. */
let kept: Loose;
/** What became of a nested query that its caller did not wait for. */
let lost: Promise<string> | undefined;

const steps = { steps: v.array(v.any()), failAt: v.optional(v.number()), throwAt: v.optional(v.number()) };

async function write({ ctx, args }: Loose): Promise<unknown> {
  const results: unknown[] = [];
  for (const [index, step] of args.steps.entries()) {
    if (args.throwAt === index) throw new Refusal(`asked to throw at ${index}`);
    if (step.caught === true) {
      try {
        results.push(await doStep(ctx.db, step, results));
      } catch (error: Loose) {
        results.push({ caught: error.code ?? "thrown" });
      }
    } else results.push(await doStep(ctx.db, step, results));
  }
  if (args.throwAt === args.steps.length) throw new Refusal("asked to throw at the end");
  return results;
}

async function read({ ctx, args }: Loose): Promise<unknown> {
  const results: unknown[] = [];
  for (const step of args.steps) results.push(await doStep(ctx.db, step, results));
  return results;
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
const reference = (path: string, kind: Loose): Loose => ({ path, kind, address: { kind: "root" } });

const handlers = {
  write: mutation.input(steps).mutation(write),
  writeInternal: internalMutation.input(steps).mutation(write),
  readInternal: internalQuery.input(steps).query(read),
  read: query.input(steps).query(read),
  writeRoom: mutation.input({ ...steps, room: v.string() }).mutation(write),
  readRoom: query.input({ ...steps, room: v.string() }).query(read),
  writeCurrency: mutation.input({ ...steps, currency: v.bigint() }).mutation(write),
  byMessage: query
    .input({ id: v.id("messages"), others: v.optional(v.array(v.id("messages"))) })
    .query(async ({ ctx, args }: Loose) => ctx.db.get("messages", args.id)),
  /** Inserts one row a time with pauses of different lengths, so that only the queue keeps the order. */
  slow: mutation.input({ name: v.string(), milliseconds: v.number() }).mutation(async ({ ctx, args }: Loose) => {
    await pause(args.milliseconds);
    await ctx.db.insert("log", { text: args.name });
    await pause(args.milliseconds);
  }),
  holdRoom: mutation.input({ room: v.string(), milliseconds: v.number() }).mutation(async ({ ctx, args }: Loose) => {
    await ctx.db.insert("messages", { room: args.room, body: "held" });
    await pause(args.milliseconds);
  }),
  hang: mutation.mutation(async ({ ctx }: Loose) => {
    await ctx.db.insert("log", { text: "hangs" });
    await pause(60_000);
  }),
  keep: mutation.mutation(async ({ ctx }: Loose) => {
    kept = ctx;
  }),
  useKept: mutation.mutation(async ({ ctx }: Loose) => {
    await ctx.db.insert("log", { text: "mine" });
    try {
      await kept.db.insert("log", { text: "of the call before" });
      return "written";
    } catch (error: Loose) {
      return error.code;
    }
  }),
  readKept: query.query(async () => {
    try {
      return await kept.db.log.findMany();
    } catch (error: Loose) {
      return error.code;
    }
  }),
  /** Returns before its writes are over: one has triggers, which take their time. */
  forget: mutation.input({ names: v.array(v.string()) }).mutation(async ({ ctx, args }: Loose) => {
    for (const name of args.names) ctx.db.insert("audited", { name }).catch(() => {});
  }),
  together: mutation.input({ names: v.array(v.string()) }).mutation(async ({ ctx, args }: Loose) => {
    const outcomes = await Promise.allSettled(args.names.map((name: string) => ctx.db.insert("audited", { name })));
    return outcomes.map(({ status }) => status);
  }),
  /** Catches what a nested mutation throws. */
  nested: mutation.input(steps).mutation(async ({ ctx, args }: Loose) => {
    await ctx.db.insert("log", { text: "outer" });
    let caught: string | null = null;
    try {
      await ctx.runMutation(reference("store:writeInternal", "mutation"), args);
    } catch (error: Loose) {
      caught = error.code ?? error.message;
    }
    const [rows] = await ctx.runQuery(reference("store:readInternal", "query"), {
      steps: [{ table: "log", method: "findMany", args: [] }],
    });
    return { caught, seen: rows.map((row: Loose) => row.text) };
  }),
  /** Starts a nested query whose module takes its time, and returns without it. */
  loseQuery: mutation.mutation(async ({ ctx }: Loose) => {
    lost = ctx.runQuery(reference("store:lateRead", "query"), {}).then(
      () => "read",
      (error: Loose) => error.code,
    );
  }),
  lateRead: query.query(async ({ ctx }: Loose) => {
    await pause(100);
    return ctx.db.log.count();
  }),
  lostQuery: query.query(async () => lost),
  writeInQuery: query.query(async ({ ctx }: Loose) => ctx.db.insert("log", { text: "from a query" })),
  recurse: mutation.mutation(async ({ ctx }: Loose): Promise<unknown> =>
    ctx.runMutation(reference("store:recurse", "mutation"), {}),
  ),
  otherShard: mutation.mutation(async ({ ctx }: Loose): Promise<unknown> =>
    ctx.runMutation(reference("store:writeRoom", "mutation"), { room: "x", steps: [] }),
  ),
  count: mutation.input({ size: v.optional(v.number()) }).mutation(async ({ ctx, args }: Loose) => {
    await ctx.db.insert("log", { text: "counted" });
    const count = await ctx.db.log.count();
    return args.size === undefined ? { count, now: ctx.now, same: ctx.now === ctx.now } : "x".repeat(args.size);
  }),
  patchUndefined: mutation
    .input({ id: v.id("users") })
    .mutation(async ({ ctx, args }: Loose) => ctx.db.users.patch(args.id, { name: undefined })),
  bad: query.query(async () => {
    throw new Error("a secret of the server");
  }),
  returnsFunction: query.query(async () => () => 1),
};

/** Grown inside: a request could not carry it. */
const grow = mutation.input({ length: v.number(), unit: v.string() }).mutation(async ({ ctx, args }: Loose) => {
  const id = await ctx.db.insert("values", { text: args.unit.repeat(args.length) });
  const row = await ctx.db.get("values", id);
  return row.text.length;
});

const module = async (): Promise<Record<string, unknown>> => ({ ...handlers, grow });
const root = { kind: "root" } as const;
const room = { kind: "argument", argument: "room", field: "room" } as const;
const addresses: Record<string, Loose> = {
  writeRoom: room,
  readRoom: room,
  holdRoom: room,
  writeCurrency: { kind: "argument", argument: "currency", field: "currency" },
  byMessage: { kind: "id", argument: "id", table: "messages", field: "room" },
};

const functions: FunctionRegistry = Object.fromEntries(
  Object.entries({ ...handlers, grow }).map(([name, { kind, visibility }]) => [
    `store:${name}`,
    { kind, visibility, address: addresses[name] ?? root, module, exportName: name },
  ]),
);

/** A module that takes its time to import, the first time. */
let hasImported = false;
const slowModule = async (): Promise<Record<string, unknown>> => {
  if (!hasImported) await pause(300);
  hasImported = true;
  return handlers;
};

const app = defineApp({
  authorizeShard: () => true,
  resolveIdentity: ({ token }) => (token === undefined ? null : { userId: token }),
});

const definition: LunoraDefinition = asGlobal({
  schema,
  functions: {
    ...functions,
    "store:imported": {
      kind: "mutation",
      visibility: "public",
      address: root,
      module: slowModule,
      exportName: "write",
    },
  },
  app,
});
/** The class with the fields that the platform\'s own has. */
const ShardBase = createShardObject(definition, { mutationDeadline: 1_500 }) as unknown as new (
  context: never,
  env: never,
) => ShardObject & { readonly ctx: Loose };

export class ShardDO extends ShardBase {
  /** Rows of a statement, for looking behind the store. */
  async sql(text: string): Promise<unknown> {
    return this.ctx.storage.sql.exec(text).toArray();
  }

  /** Makes every kept result older, and rings the alarm. */
  async age(milliseconds: number): Promise<unknown> {
    this.ctx.storage.sql.exec("UPDATE __idempotency SET ts = ts - ?", milliseconds);
    await this.ctx.storage.setAlarm(Date.now());
    return null;
  }

  async grow({ length, unit = "x" }: { length: number; unit?: string }): Promise<unknown> {
    const answer = await this.call({
      object: "__root__",
      functionPath: "store:grow",
      args: { length, unit },
      identity: null,
    });
    return answer.ok ? { ok: true } : { ok: false, code: answer.body.error.code };
  }

  /** The plan of every statement that a step runs. */
  async plan(step: Loose): Promise<string[]> {
    const planned = new Schema(definition.schema);
    const storage = this.ctx.storage.sql as Loose;
    const session = new Session({
      host: { schema: planned, scope: { ...scopeOf("__root__"), hasGlobals: true }, storage },
      auth: { userId: null },
      now: 0,
      nextCreationTime: () => 0,
    });
    const db: Loose = databaseFactory(planned)(session);
    const statements =
      step.method === "walk"
        ? buildWalk(db, step.table, step.args[0])["~statements"]()
        : findStatements(planned.table(step.table), step.args[0]);
    const plans = statements.map(async (statement: Loose) => {
      const { text, bindings } = withoutIndexNames(render(statement));
      const explain = `EXPLAIN QUERY PLAN ${text}`;
      const database = (this as Loose).env.DB;
      const rows =
        database === undefined
          ? storage.exec(`EXPLAIN QUERY PLAN ${render(statement).text}`, ...bindings).toArray()
          : (
              await database
                .prepare(explain)
                .bind(...bindings)
                .all()
            ).results;
      return rows.map((row: Loose) => row.detail);
    });
    return (await Promise.all(plans)).flat();
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
    if (method === "ordered") {
      // Calls on one stub are delivered in the order in which they are made.
      const calls = argument as { functionPath: string; args: unknown }[];
      return Response.json(
        await Promise.all(calls.map((call) => stub.call({ object: "__root__", identity: null, ...call }))),
      );
    }
    if (method === "registered")
      return Response.json(await env.SHARD_REGISTRY.getByName("__lunora_shard_registry__").list(argument));
    return Response.json(await stub[method](argument));
  },
};
