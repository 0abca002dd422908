// An app with global tables beside a shard's own, whose way to D1 can be cut.
import { createShardObject, createShardRegistryObject } from "@lunora/do";
import type { ShardObject, ShardRegistryObjectClass } from "@lunora/do";
import { createWorker } from "@lunora/runtime";
import { defineApp, defineSchema, defineTable, initLunora, v } from "@lunora/server";
import type { FunctionRegistry, LunoraDefinition } from "@lunora/server";

import { globals } from "../../src/engine/globals/globals.ts";
import type { D1Binding, D1Connection, D1Statement } from "../../src/engine/globals/d1-binding.ts";
import type { Loose } from "../loose.ts";
import { doStep } from "../steps.ts";

const { query, mutation } = initLunora.dataModel<Loose>().create();

const schema = defineSchema({
  accounts: defineTable({ name: v.string(), balance: v.number(), note: v.optional(v.string()) })
    .index("by_name", ["name"], { unique: true })
    .global()
    .relations((r) => ({
      entries: r.many("entries", { field: "accountId" }),
      posts: r.many("posts", { field: "accountId" }),
    })),
  entries: defineTable({ accountId: v.id("accounts"), amount: v.number() })
    .index("by_account", ["accountId"])
    .global()
    .relations((r) => ({ account: r.one("accounts", { field: "accountId", onDelete: "cascade" }) })),
  posts: defineTable({ accountId: v.id("accounts"), title: v.string() }).relations((r) => ({
    account: r.one("accounts", { field: "accountId" }),
  })),
  messages: defineTable({ room: v.string(), accountId: v.id("accounts"), body: v.string() })
    .shardBy("room")
    .relations((r) => ({ account: r.one("accounts", { field: "accountId" }) })),
});

/** The times that runs of handlers had, by a name of their own. */
const runs = new Map<string, number[]>();

function noteRun(name: string, now: number): number {
  const times = [...(runs.get(name) ?? []), now];
  runs.set(name, times);
  return times.length;
}

/** What happens to the next batch that writes: see `CutBinding`. */
type Cut = "before" | "after" | "hang" | "stall" | "refuse";
let cuts: Cut[] = [];
/** Cuts every read as well. */
let isDown = false;
let stalled = 0;

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

function isWrite(statements: readonly Loose[]): boolean {
  return statements.some(({ text }) => String(text).startsWith("INSERT INTO __lunora_idempotency"));
}

/** The way to the real D1, which can be cut: the wire is broken, not the database. */
class CutConnection implements D1Connection {
  readonly #connection: D1Connection;

  constructor(connection: D1Connection) {
    this.#connection = connection;
  }

  prepare(text: string): D1Statement {
    const statement = this.#connection.prepare(text);
    return { text, statement, bind: (...values: Loose[]) => ({ text, statement: statement.bind(...values) }) } as Loose;
  }

  async batch(statements: readonly Loose[]): Promise<Loose> {
    const send = (): Promise<Loose> => this.#connection.batch(statements.map(({ statement }) => statement));
    if (isDown) throw new Error("D1_ERROR: Network connection lost.");
    switch (isWrite(statements) ? cuts.shift() : undefined) {
      case undefined:
        return send();
      case "before":
        throw new Error("D1_ERROR: Network connection lost.");
      case "after":
        await send();
        throw new Error("D1_ERROR: Network connection lost.");
      case "hang":
        return new Promise(() => {});
      case "refuse":
        throw new Error("D1_ERROR: string or blob too big: SQLITE_TOOBIG");
      case "stall":
        await send();
        stalled += 1;
        return new Promise(() => {});
    }
  }
}

function cut(binding: D1Binding): D1Binding {
  return {
    prepare: (text: string) => binding.prepare(text),
    withSession: (constraint: "first-primary") => new CutConnection(binding.withSession(constraint)),
  } as unknown as D1Binding;
}

async function write({ ctx, args }: Loose): Promise<unknown> {
  const results: unknown[] = [];
  for (const step of args.steps) results.push(await doStep(ctx.db, step, results));
  return results;
}

/** Handlers that have met at a place, each in its first run. */
const met = new Map<string, number>();

/** Somebody who writes to D1 by other means. */
const disturb = ({ ctx, args }: Loose, balance: number): Promise<unknown> =>
  ctx.env.DB.prepare("UPDATE accounts SET doc = json_set(doc, '$.balance', ?) WHERE id = ?")
    .bind(balance, args.id)
    .run();

const meeting = { place: v.optional(v.string()), count: v.optional(v.number()) };

/** Adds to an account what it reads of it; in its first run it waits until others have read, too. */
async function add({ ctx, args }: Loose): Promise<unknown> {
  const run = noteRun(args.name, ctx.now);
  const account = await ctx.db.accounts.get(args.id);
  if (run === 1 && args.place !== undefined) {
    met.set(args.place, (met.get(args.place) ?? 0) + 1);
    while ((met.get(args.place) ?? 0) < args.count) await pause(2);
  }
  await ctx.db.accounts.patch(args.id, { balance: account.balance + args.amount });
  await ctx.db.entries.insert({ accountId: args.id, amount: args.amount });
  return { balance: account.balance + args.amount, now: ctx.now };
}

const adding = { id: v.id("accounts"), amount: v.number(), name: v.string(), ...meeting };
const steps = { steps: v.array(v.any()) };
const room = { room: v.string() };

const handlers = {
  write: mutation.input(steps).mutation(write),
  writeRoom: mutation.input({ ...steps, ...room }).mutation(write),
  read: query.input(steps).query(write),
  readRoom: query.input({ ...steps, ...room }).query(write),
  add: mutation.input(adding).mutation(add),
  addRoom: mutation.input({ ...adding, ...room }).mutation(add),
  /** Writes so much that a list cannot be read behind it. */
  much: mutation.mutation(async ({ ctx }: Loose) => {
    await ctx.db.accounts.insert({ name: "much", balance: 0, note: "x".repeat(700_000) });
    return ctx.db.accounts.findMany();
  }),
  /** Loses every race: somebody else changes the row between its read and its end. */
  unlucky: mutation.input({ id: v.id("accounts") }).mutation(async ({ ctx, args }: Loose) => {
    noteRun("unlucky", ctx.now);
    const account = await ctx.db.accounts.get(args.id);
    await disturb({ ctx, args }, account.balance + 1);
    await ctx.db.accounts.patch(args.id, { name: "unlucky" });
  }),
  /** Loses a race, and hangs when it runs again. */
  stuck: mutation.input({ id: v.id("accounts") }).mutation(async ({ ctx, args }: Loose) => {
    const run = noteRun("stuck", ctx.now);
    await ctx.db.accounts.get(args.id);
    if (run > 1) await pause(60_000);
    await disturb({ ctx, args }, 1);
    await ctx.db.accounts.patch(args.id, { name: "stuck" });
  }),
};

const module = async (): Promise<Record<string, unknown>> => handlers;
const root = { kind: "root" } as const;
const inRoom = { kind: "argument", argument: "room", field: "room" } as const;

const functions: FunctionRegistry = Object.fromEntries(
  Object.entries(handlers).map(([name, { kind, visibility }]) => [
    `globals:${name}`,
    { kind, visibility, address: name.endsWith("Room") ? inRoom : root, module, exportName: name },
  ]),
);

const app = defineApp({
  authorizeShard: () => true,
  resolveIdentity: ({ token }) => (token === undefined ? null : { userId: token }),
});

const definition: LunoraDefinition = { schema, functions, globals, app };

const ShardBase = createShardObject(definition, {
  globalAnswerTime: 500,
  mutationDeadline: 3_000,
}) as unknown as new (context: never, env: never) => ShardObject & { readonly ctx: Loose };

export class ShardDO extends ShardBase {
  constructor(context: never, env: never) {
    const bindings: Loose = env;
    super(context, (bindings.DB === undefined ? bindings : { ...bindings, DB: cut(bindings.DB) }) as never);
  }

  async sql(text: string): Promise<unknown> {
    return this.ctx.storage.sql.exec(text).toArray();
  }
}

export const ShardRegistryDO: ShardRegistryObjectClass = createShardRegistryObject(definition);

const worker = createWorker(definition);

export default {
  async fetch(request: Request, env: Loose, context: Loose): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== "/test") return worker.fetch(request, env, context);
    const { method, argument } = (await request.json()) as { method: string; argument: Loose };
    switch (method) {
      case "cut":
        cuts = argument;
        return Response.json(null);
      case "down":
        isDown = argument;
        return Response.json(null);
      case "state":
        return Response.json({ stalled, met: Object.fromEntries(met), runs: Object.fromEntries(runs) });
      case "d1":
        return Response.json((await env.DB.prepare(argument).all()).results);
      case "ordered": {
        // Calls on one stub are delivered in the order in which they are made.
        const stub = env.SHARD.getByName("__root__");
        const calls = argument as Loose[];
        return Response.json(
          await Promise.all(calls.map((call) => stub.call({ object: "__root__", identity: null, ...call }))),
        );
      }
      default: {
        const stub = env.SHARD.getByName(searchParams.get("object") ?? "__root__");
        return Response.json(await stub[method](argument));
      }
    }
  },
};
