// An app for export and import: every tier, every kind of value, a unique index, a trigger.
import { admin, createShardObject, createShardRegistryObject } from "@lunora/do";
import type { ShardObject, ShardRegistryObjectClass } from "@lunora/do";
import { functionReference } from "@lunora/protocol";
import type { FunctionReference } from "@lunora/protocol";
import { adminRoutes, createWorker } from "@lunora/runtime";
import { createSchedulerObject, scheduling } from "@lunora/scheduler";
import { defineApp, defineSchema, defineTable, initLunora, v } from "@lunora/server";
import type { FunctionRegistry, LunoraDefinition } from "@lunora/server";
import type { Loose } from "../loose.ts";

const { query, mutation } = initLunora.dataModel<Loose>().create();

/** Put in place when the app is bundled: the app before its messages were sharded. */
declare const MESSAGES_AT_ROOT: boolean | undefined;
const isAtRoot = typeof MESSAGES_AT_ROOT !== "undefined" && MESSAGES_AT_ROOT === true;

const messages = defineTable({ room: v.string(), text: v.string(), reply: v.optional(v.id("messages")) });

const schema = defineSchema({
  things: defineTable({
    text: v.string(),
    n: v.optional(v.number()),
    big: v.optional(v.bigint()),
    bytes: v.optional(v.bytes()),
    any: v.optional(v.any()),
  })
    .index("by_n", ["n"])
    .index("by_big", ["big"]),
  people: defineTable({ email: v.string() })
    .index("by_email", ["email"], { unique: true })
    .triggers((t: Loose) => ({
      note: t.afterInsert(async ({ ctx, document }: Loose) =>
        ctx.db.insert("things", { text: `trigger of ${document.email}` }),
      ),
    })),
  messages: isAtRoot ? messages : messages.shardBy("room"),
  marks: defineTable({ name: v.string() }).colocated(),
});

/** Steps `[method, table, …]`, one after the other. */
async function run(ctx: Loose, steps: Loose[]): Promise<Loose[]> {
  const results: Loose[] = [];
  for (const [method, table, ...rest] of steps) {
    if (method === "insert") results.push(await ctx.db.insert(table, rest[0]));
    else if (method === "schedule") {
      const target = functionReference<FunctionReference>("t:write", "mutation", { kind: "root" });
      results.push(await ctx.scheduler.runAfter(table, target, { steps: [] }));
    } else if (method === "fill") {
      for (let index = 0; index < rest[0]; index += 1)
        await ctx.db.insert(table, { ...rest[1], text: `${rest[1].text} ${index}` });
    } else results.push(await ctx.db[table][method](...rest));
  }
  return results;
}

const handlers = {
  write: mutation.input({ steps: v.array(v.any()) }).mutation(async ({ ctx, args }: Loose) => run(ctx, args.steps)),
  writeRoom: mutation
    .input({ room: v.string(), steps: v.array(v.any()) })
    .mutation(async ({ ctx, args }: Loose) => run(ctx, args.steps)),
  list: query.input({ table: v.string() }).query(async ({ ctx, args }: Loose) => ctx.db.query(args.table).collect()),
  listRoom: query
    .input({ room: v.string(), table: v.string() })
    .query(async ({ ctx, args }: Loose) => ctx.db.query(args.table).collect()),
};

const module = async (): Promise<Record<string, unknown>> => handlers;
const functions: FunctionRegistry = Object.fromEntries(
  Object.entries(handlers).map(([name, { kind }]) => [
    `t:${name}`,
    {
      kind,
      visibility: "public",
      address:
        name.endsWith("Room") && !isAtRoot ? { kind: "argument", argument: "room", field: "room" } : { kind: "root" },
      module,
      exportName: name,
    },
  ]),
);

const app = defineApp({
  authorizeShard: () => true,
  resolveIdentity: ({ token }) => (token === undefined ? null : { userId: token }),
  // So little that exports have to keep the log themselves.
  opLog: { rows: 50, ageMs: 1 },
  limits: { bodyBytes: 4_000_000 },
});
const definition: LunoraDefinition = { schema, functions, app, admin, scheduling };

const Shard = createShardObject(definition) as unknown as new (context: Loose, env: Loose) => ShardObject & Loose;

export class ShardDO extends Shard {
  async inspect(method: string, argument: Loose): Promise<Loose> {
    if (method === "sql") return this["ctx"].storage.sql.exec(argument).toArray();
    return undefined;
  }
}

export const ShardRegistryDO: ShardRegistryObjectClass = createShardRegistryObject(definition);

export const SchedulerDO = createSchedulerObject(definition);

const worker = createWorker(definition, { routes: adminRoutes() });

export default {
  async fetch(request: Request, env: Loose, context: Loose): Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname !== "/test") return worker.fetch(request, env, context);
    const stub = env.SHARD.get(env.SHARD.idFromName(url.searchParams.get("object") ?? "__root__"));
    const { method, argument } = (await request.json()) as Loose;
    return Response.json((await stub.inspect(method, argument)) ?? null);
  },
};
