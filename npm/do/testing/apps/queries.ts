// An app of live queries: with and without identity, under policies, failing, hanging, in pages.
import { createShardRegistryObject } from "@lunora/do";
import type { ShardRegistryObjectClass } from "@lunora/do";
import { LunoraError } from "@lunora/errors";
import { fanOut } from "@lunora/runtime";
import { defineApp, definePolicy, defineSchema, defineTable, initLunora, rls, v } from "@lunora/server";
import type { LunoraDefinition } from "@lunora/server";

import type { Loose } from "../loose.ts";
import { functionsOf, observedShard, observedWorker } from "../observed-app.ts";
import { doStep } from "../steps.ts";

const { query, mutation, internalQuery } = initLunora.dataModel<Loose>().create();

const schema = defineSchema({
  users: defineTable({ name: v.string() }),
  messages: defineTable({
    channel: v.string(),
    author: v.string(),
    body: v.string(),
    userId: v.optional(v.id("users")),
    big: v.optional(v.bigint()),
  })
    .index("by_channel", ["channel"])
    .index("by_author", ["author"])
    .relations((r) => ({ user: r.one("users", { field: "userId", onDelete: "set null" }) })),
  members: defineTable({ user: v.string(), channel: v.string() }).index("by_user", ["user"]),
  switches: defineTable({ name: v.string() }).index("by_name", ["name"]),
  posts: defineTable({ room: v.string(), text: v.string() }).shardBy("room"),
});

/** How often each query ran. */
const runs: Record<string, number> = {};
const counted = (name: string): void => {
  runs[name] = (runs[name] ?? 0) + 1;
};

const isOn = async (ctx: Loose, name: string): Promise<boolean> =>
  (await ctx.db
    .query("switches")
    .withIndex("by_name", (range: Loose) => range.eq("name", name))
    .first()) !== null;

/** Messages of the channels that the caller is a member of, and the caller's own. */
const policies = [
  definePolicy({
    table: "messages",
    on: "read",
    when: async ({ auth, ctx }: Loose) => {
      const own = await ctx.db
        .query("members")
        .withIndex("by_user", (range: Loose) => range.eq("user", auth.userId ?? ""))
        .collect();
      return { OR: [{ author: auth.userId ?? "" }, { channel: { in: own.map((row: Loose) => row.channel) } }] };
    },
  }),
];

const channel = { channel: v.string() };
const page = { numItems: v.number(), cursor: v.optional(v.string()), endCursor: v.optional(v.string()) };

const handlers = {
  write: mutation.input({ steps: v.array(v.any()) }).mutation(async ({ ctx, args }: Loose) => {
    const results: unknown[] = [];
    for (const step of args.steps) results.push(await doStep(ctx.db, step, results));
    return results;
  }),
  nothing: query.query(async () => null),
  list: query.input(channel).query(async ({ ctx, args }: Loose) => {
    counted("list");
    return ctx.db
      .query("messages")
      .withIndex("by_channel", (range: Loose) => range.eq("channel", args.channel))
      .collect();
  }),
  latest: query.input({ ...channel, count: v.number() }).query(async ({ ctx, args }: Loose) =>
    ctx.db
      .query("messages")
      .withIndex("by_channel", (range: Loose) => range.eq("channel", args.channel))
      .order("desc")
      .take(args.count),
  ),
  page: query.input(page).query(async ({ ctx, args }: Loose) =>
    ctx.db
      .query("messages")
      .order("desc")
      .paginate({ ...args, cursor: args.cursor ?? null }),
  ),
  byBody: query.query(async ({ ctx }: Loose) =>
    ctx.db.messages.findMany({ orderBy: { body: "asc" }, limit: 5, select: { body: true, author: true } }),
  ),
  withUser: query.query(async ({ ctx }: Loose) =>
    ctx.db.messages.findMany({ where: { channel: "a" }, with: { user: { select: { name: true } } } }),
  ),
  nested: query
    .input(channel)
    .query(async ({ ctx, args }: Loose) =>
      ctx.runQuery({ path: "queries:list", kind: "query", address: { kind: "root" } }, args),
    ),
  count: query.input(channel).query(async ({ ctx, args }: Loose) => ctx.db.messages.count({ where: args })),
  mine: query.query(async ({ ctx }: Loose) => {
    counted("mine");
    return ctx.db.messages.findMany({ where: { author: ctx.auth.userId ?? "" } });
  }),
  who: query.query(async ({ ctx }: Loose) => ctx.auth.getIdentity()),
  /** Looks at who asks only while a switch is on. */
  sometimes: query.query(async ({ ctx }: Loose) => {
    counted("sometimes");
    return (await isOn(ctx, "personal")) ? `for ${ctx.auth.userId}` : "for all";
  }),
  fails: query.query(async ({ ctx }: Loose) => {
    if (await isOn(ctx, "broken")) throw new LunoraError("APP_BROKEN", "the switch is on");
    if (await isOn(ctx, "secretly broken")) throw new Error("a secret of the server");
    return ctx.db.messages.count();
  }),
  hangs: query.query(async ({ ctx }: Loose) => {
    counted("hangs");
    if (await isOn(ctx, "hang")) await new Promise(() => {});
    return "settled";
  }),
  sized: query.input({ name: v.string() }).query(async ({ ctx, args }: Loose) => {
    const row = await ctx.db.switches.findFirst({ where: { name: { contains: args.name } } });
    return row === null ? undefined : "x".repeat(Number(row.name.slice(args.name.length)));
  }),
  visible: query.use(rls(policies)).query(async ({ ctx }: Loose) => {
    counted("visible");
    return ctx.db.messages.findMany();
  }),
  visibleOne: query
    .input({ id: v.string() })
    .use(rls(policies))
    .query(async ({ ctx, args }: Loose) => ctx.db.get("messages", args.id)),
  visibleCount: query.use(rls(policies)).query(async ({ ctx }: Loose) => ctx.db.messages.count()),
  secret: internalQuery.query(async () => "secret"),
  everywhere: query.query(async ({ ctx }: Loose) => ctx.db.query("posts").collect()),
  room: query.input({ room: v.string() }).query(async ({ ctx }: Loose) => ctx.db.query("posts").collect()),
};

const functions = functionsOf("queries", handlers, {
  everywhere: { kind: "fanOut", field: "room", merge: { kind: "concat", by: null, direction: null } },
  room: { kind: "argument", argument: "room", field: "room" },
});

const app = defineApp({
  resolveIdentity: ({ token }) => (token === undefined ? null : { userId: token }),
  authorizeShard: ({ identity, functionPath }) => !(identity?.userId === "outcast" && functionPath === "queries:list"),
  authorizeFanOut: () => true,
  opLog: { rows: 200, ageMs: 3_600_000 },
});

const definition: LunoraDefinition = { schema, functions, fanOut, app };

export class ShardDO extends observedShard(definition, { queryDeadline: 500 }) {
  /** How often each query has run since the last time this was asked. */
  async takeRuns(): Promise<unknown> {
    const taken = { ...runs };
    for (const name of Object.keys(runs)) delete runs[name];
    return taken;
  }
}

export const ShardRegistryDO: ShardRegistryObjectClass = createShardRegistryObject(definition);

export default observedWorker(definition);
