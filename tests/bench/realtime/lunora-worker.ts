// The app that the real-time rows measure: messages in channels, accounts with balances, items in groups.
import { createShardObject, createShardRegistryObject, shaping } from "@lunora/do";
import type { ShardObject } from "@lunora/do";
import { createWorker, REGISTRY_OBJECT } from "@lunora/runtime";
import type { RegistryMethods } from "@lunora/runtime";
import { defineApp, defineSchema, defineTable, initLunora, policiesOf, rls, shapesOf, v } from "@lunora/server";
import type { FunctionRegistry, FunctionRegistryEntry, LunoraDefinition, ShapeRegistry } from "@lunora/server";
import { seedStatements } from "./seed.mjs";

// oxlint-disable-next-line typescript/no-explicit-any -- written by hand, as generated code would type it
type Loose = any;

const { query, mutation } = initLunora.dataModel<Loose>().create();
const shape = shapesOf<Loose>();
const definePolicy = policiesOf<Loose>();

const schema = defineSchema({
  messages: defineTable({ channel: v.string(), body: v.string() }).index("by_channel", ["channel"]),
  members: defineTable({ userId: v.string() }).index("by_user", ["userId"]),
  accounts: defineTable({ balance: v.number() }),
  items: defineTable({ group: v.string(), value: v.number() }).index("by_group", ["group"]),
  letters: defineTable({ city: v.string(), text: v.string() }).shardBy("city"),
});

/** What a reader may see hangs on who reads. */
const mine = definePolicy({
  table: "messages",
  on: "read",
  when: ({ auth }: Loose) => ({ body: { ne: `hidden from ${auth.userId}` } }),
});

const handlers: Record<string, unknown> = {
  send: mutation
    .input({ channel: v.string(), body: v.string() })
    .mutation(async ({ ctx, args }: Loose) => ctx.db.insert("messages", args)),
  latest: query.input({ channel: v.string() }).query(async ({ ctx, args }: Loose) =>
    ctx.db
      .query("messages")
      .withIndex("by_channel", (range: Loose) => range.eq("channel", args.channel))
      .order("desc")
      .take(50),
  ),
  transfer: mutation
    .input({ from: v.id("accounts"), to: v.id("accounts"), amount: v.number() })
    .mutation(async ({ ctx, args }: Loose) => {
      const from = await ctx.db.get("accounts", args.from);
      const to = await ctx.db.get("accounts", args.to);
      await ctx.db.patch("accounts", args.from, { balance: from.balance - args.amount });
      await ctx.db.patch("accounts", args.to, { balance: to.balance + args.amount });
    }),
  post: mutation
    .input({ city: v.string(), text: v.string() })
    .mutation(async ({ ctx, args }: Loose) => ctx.db.insert("letters", args)),
  /** One read by index for each group. */
  groups: query.input({ groups: v.array(v.string()), take: v.number() }).query(async ({ ctx, args }: Loose) => {
    let rows = 0;
    for (const group of args.groups) {
      const found = await ctx.db
        .query("items")
        .withIndex("by_group", (range: Loose) => range.eq("group", group))
        .take(args.take);
      rows += found.length;
    }
    return rows;
  }),
  channel: shape({
    table: "messages",
    args: { channel: v.string() },
    where: (_ctx: Loose, { channel }: Loose) => ({ channel }),
  }),
  mine: shape({
    table: "messages",
    args: { channel: v.string() },
    where: (_ctx: Loose, { channel }: Loose) => ({ channel }),
    use: [rls([mine])],
  }),
};

const module = async (): Promise<Record<string, unknown>> => handlers;
const address = { kind: "root" } as const;
const entry = (kind: "query" | "mutation", exportName: string): FunctionRegistryEntry => ({
  kind,
  visibility: "public",
  address,
  module,
  exportName,
});
const functions: FunctionRegistry = {
  "bench:send": entry("mutation", "send"),
  "bench:latest": entry("query", "latest"),
  "bench:post": { ...entry("mutation", "post"), address: { kind: "argument", argument: "city", field: "city" } },
  "bench:transfer": entry("mutation", "transfer"),
  "bench:groups": entry("query", "groups"),
};
const shapes: ShapeRegistry = {
  channel: { table: "messages", address, module, exportName: "channel" },
  mine: { table: "messages", address, module, exportName: "mine" },
};

const app = defineApp({
  authorizeShard: () => true,
  resolveIdentity: ({ token }) => (token === undefined ? null : { userId: token }),
});

const definition: LunoraDefinition = { schema, functions, shapes, shaping, app };

/** The class with the fields that the platform's own has. */
const ShardBase = createShardObject(definition) as unknown as new (
  context: never,
  env: never,
) => ShardObject & { readonly ctx: Loose };

export class ShardDO extends ShardBase {
  /** Fills a table in SQL: what is measured is not the filling. */
  async seed({ table, count }: { table: "accounts" | "items" | "raw_items"; count: number }): Promise<number> {
    const { sql } = this.ctx.storage;
    for (const statement of seedStatements(table, count)) sql.exec(statement);
    return sql.exec(`SELECT count(*) AS count FROM ${table}`).one().count;
  }

  /** The sum of all balances, which no transfer changes. */
  async total(): Promise<number> {
    return this.ctx.storage.sql.exec("SELECT sum(doc ->> '$.balance') AS total FROM accounts").one().total;
  }

  /** What `bench:groups` does, in SQL on a plain table of the same rows. */
  async rawGroups({ groups, take }: { groups: string[]; take: number }): Promise<number> {
    let rows = 0;
    for (const group of groups) {
      rows += this.ctx.storage.sql
        .exec("SELECT id, grp, value FROM raw_items WHERE grp = ? LIMIT ?", group, take)
        .toArray().length;
    }
    return rows;
  }
}

const RegistryBase = createShardRegistryObject(definition) as unknown as new (
  context: never,
  env: never,
) => RegistryMethods & { readonly ctx: Loose };

export class ShardRegistryDO extends RegistryBase {
  /** Names of shards that were never opened. */
  async seed(count: number): Promise<number> {
    const { sql } = this.ctx.storage;
    sql.exec(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO shards SELECT printf('city=c%08d', i), 0 FROM n",
      count,
    );
    return sql.exec("SELECT count(*) AS count FROM shards").one().count;
  }
}

const worker = createWorker(definition);

export default {
  async fetch(request: Request, env: Loose, context: Loose): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith("/bench/")) return worker.fetch(request, env, context);
    const [method = "", ofRegistry] = pathname.slice("/bench/".length).split("/").toReversed();
    if (ofRegistry !== undefined)
      return Response.json(await env.SHARD_REGISTRY.getByName(REGISTRY_OBJECT)[method](await request.json()));
    return Response.json(await env.SHARD.getByName("__root__")[method](await request.json()));
  },
};
