// An app for what happens before a shard is reached: identity, addresses, fan-out, actions.
import { createShardObject, createShardRegistryObject } from "@lunora/do";
import type { ShardObjectClass, ShardRegistryObjectClass } from "@lunora/do";
import { LunoraError } from "@lunora/errors";
import { createWorker, fanOut } from "@lunora/runtime";
import { defineApp, defineSchema, defineTable, initLunora, v } from "@lunora/server";
import type { FunctionRegistry, LunoraDefinition } from "@lunora/server";
import type { Loose } from "../loose.ts";

const { query, mutation, action, internalQuery, internalMutation } = initLunora.dataModel<Loose>().create();

const schema = defineSchema({
  rows: defineTable({ room: v.string(), value: v.number(), big: v.optional(v.bigint()) }).shardBy("room"),
  log: defineTable({ text: v.string() }),
});

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
const reference = (path: string, kind: Loose): Loose => ({ path, kind, address: { kind: "root" } });

/** The room of the shard that a fan-out runs in, by what its rows say. */
async function misbehave(ctx: Loose): Promise<Loose[]> {
  const rows = await ctx.db.query("rows").collect();
  if (rows[0]?.room === "failing") throw new Error("this shard fails");
  if (rows[0]?.room === "slow") await pause(60_000);
  if (rows[0]?.room === "coded") throw new LunoraError("CONFLICT", "this shard refuses");
  return rows;
}

const handlers = {
  add: mutation
    .input({ room: v.string(), value: v.number(), big: v.optional(v.bigint()) })
    .mutation(async ({ ctx, args }: Loose) => ctx.db.insert("rows", args)),
  list: query.input({ room: v.string() }).query(async ({ ctx }: Loose) => ctx.db.query("rows").collect()),
  all: query.query(async ({ ctx }: Loose) => misbehave(ctx)),
  top: query.query(async ({ ctx }: Loose) => misbehave(ctx)),
  total: query.query(async ({ ctx }: Loose) => (await misbehave(ctx)).reduce((sum, row) => sum + row.value, 0)),
  notRows: query.query(async ({ ctx }: Loose) => await ctx.db.rows.count()),
  write: mutation.input({ text: v.string() }).mutation(async ({ ctx, args }: Loose) => {
    await ctx.db.insert("log", args);
    return ctx.auth.userId;
  }),
  readLog: query.query(async ({ ctx }: Loose) => (await ctx.db.query("log").collect()).map((row: Loose) => row.text)),
  identity: query.query(async ({ ctx }: Loose) => ({
    userId: ctx.auth.userId,
    identity: await ctx.auth.getIdentity(),
  })),
  echo: query.input({ value: v.any() }).query(async ({ args }: Loose) => args.value),
  secret: internalQuery.query(async () => "internal"),
  writeSecret: internalMutation.input({ text: v.string() }).mutation(async ({ ctx, args }: Loose) => {
    await ctx.db.insert("log", args);
    if (args.text === "refused") throw new LunoraError("APP_REFUSES", "no", { status: 418, data: { big: 5n } });
  }),
  act: action.input({ text: v.string(), room: v.optional(v.string()) }).action(async ({ ctx, args }: Loose) => {
    if (ctx.db !== undefined) throw new Error("an action has no db");
    await ctx.runMutation(reference("edge:writeSecret", "mutation"), { text: args.text });
    if (args.room !== undefined)
      await ctx.runMutation(reference("edge:add", "mutation"), { room: args.room, value: 1, big: 2n ** 60n });
    const rows =
      args.room === undefined ? [] : await ctx.runQuery(reference("edge:list", "query"), { room: args.room });
    return {
      userId: ctx.auth.userId,
      secret: await ctx.runQuery(reference("edge:secret", "query")),
      rows: rows.map((row: Loose) => row.big),
      now: ctx.now,
    };
  }),
  actThrough: action.action(async ({ ctx }: Loose) => {
    try {
      await ctx.runAction(reference("edge:act", "action"), { text: "refused" });
      return null;
    } catch (error: Loose) {
      return { code: error.code, status: error.status, data: error.data };
    }
  }),
  actWrong: action.action(async ({ ctx }: Loose): Promise<unknown> =>
    ctx.runQuery(reference("edge:write", "mutation"), { text: "x" }),
  ),
  actForEver: action.action(async ({ ctx }: Loose): Promise<unknown> =>
    ctx.runAction(reference("edge:actForEver", "action")),
  ),
  actAll: action.action(async ({ ctx }: Loose): Promise<unknown> => ctx.runQuery(reference("edge:total", "query"))),
  fetches: action.input({ url: v.string() }).action(async ({ ctx, args }: Loose) => (await ctx.fetch(args.url)).status),
};

const module = async (): Promise<Record<string, unknown>> => handlers;
const root = { kind: "root" } as const;
const room = { kind: "argument", argument: "room", field: "room" } as const;
const addresses: Record<string, Loose> = {
  add: room,
  list: room,
  all: { kind: "fanOut", field: "room", merge: { kind: "concat", by: "value", direction: "desc" } },
  top: { kind: "fanOut", field: "room", merge: { kind: "topK", by: "value", k: 3, direction: "desc" } },
  total: { kind: "fanOut", field: "room", merge: { kind: "sum" } },
  notRows: { kind: "fanOut", field: "room", merge: { kind: "concat" } },
};

const functions: FunctionRegistry = {
  ...Object.fromEntries(
    Object.entries(handlers).map(([name, { kind, visibility }]) => [
      `edge:${name}`,
      {
        kind,
        visibility,
        address: addresses[name] ?? (kind === "action" ? { kind: "worker" } : root),
        module,
        exportName: name,
      },
    ]),
  ),
  "edge:missing": { kind: "query", visibility: "public", address: root, module, exportName: "nowhere" },
};

const app = defineApp({
  resolveIdentity: ({ token, request }) => {
    if (request.headers.has("x-lunora-userid")) throw new Error("a forged header arrived");
    if (token === "explodes") throw new Error("the resolver has a secret");
    if (token === "expired") throw new LunoraError("UNAUTHORIZED", "the token has expired");
    if (token === "wrong") return { userId: 5 } as Loose;
    if (token === "nothing") return undefined as Loose;
    if (token === "function") return { userId: "f", evil: () => 1 };
    return token === undefined ? null : { userId: token, roles: ["reader"], level: 7n };
  },
  authorizeShard: ({ identity, shard }) =>
    shard.field === null || shard.value !== "private" || identity?.userId === "ann",
  authorizeFanOut: ({ identity }) => identity?.userId === "ann",
  fetch: (request) =>
    Response.json({
      path: new URL(request.url).pathname,
      forged: request.headers.get("x-lunora-userid"),
      identity: request.headers.get("x-lunora-identity"),
    }),
});

const definition: LunoraDefinition = { schema, functions, fanOut, app };
export const ShardDO: ShardObjectClass = createShardObject(definition);
export const ShardRegistryDO: ShardRegistryObjectClass = createShardRegistryObject(definition);

const closed = createWorker({ ...definition, app: {} });
const pinned = createWorker({ ...definition, schema: schema.jurisdiction("eu") });
const open = createWorker(definition, { fanOut: { shardTimeout: 1_500 } });

export default {
  fetch(request: Request, env: Loose, context: Loose): Promise<Response> {
    const variant = request.headers.get("x-test-variant");
    return (variant === "closed" ? closed : variant === "pinned" ? pinned : open).fetch(request, env, context);
  },
};
