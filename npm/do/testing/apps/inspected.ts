// An app to look into: relations, triggers, a unique index, policies, shapes, jobs and functions of every kind.
import { admin, createShardRegistryObject, shaping } from "@lunora/do";
import type { ShardRegistryObjectClass } from "@lunora/do";
import { LunoraError } from "@lunora/errors";
import { adminRoutes, fanOut } from "@lunora/runtime";
import { createCronHandler, createSchedulerObject, scheduling } from "@lunora/scheduler";
import {
  cronJobs,
  defineApp,
  definePolicy,
  defineSchema,
  defineShape,
  defineTable,
  initLunora,
  rls,
  v,
} from "@lunora/server";
import type { LunoraDefinition } from "@lunora/server";
import type { Loose } from "../loose.ts";
import { functionsOf, observedShard, observedWorker } from "../observed-app.ts";

/** Set by a test: the app with a schema that shards with equal bodies refuse. */
declare const IS_REFUSED: boolean | undefined;
const isRefused = typeof IS_REFUSED !== "undefined" && IS_REFUSED === true;

const { query, mutation, action, internalMutation, internalQuery } = initLunora.dataModel<Loose>().create();

const messages = defineTable({ room: v.string(), body: v.string() }).shardBy("room");

const schema = defineSchema({
  people: defineTable({ email: v.string() })
    .index("by_email", ["email"], { unique: true })
    .triggers((t: Loose) => ({
      greet: t.afterInsert(async ({ ctx, document }: Loose) =>
        ctx.db.insert("notes", { owner: document.email, n: 0, text: "welcome" }),
      ),
    })),
  posts: defineTable({ author: v.id("people"), title: v.string() }).relations((r: Loose) => ({
    writer: r.one("people", { field: "author", onDelete: "restrict" }),
  })),
  comments: defineTable({ post: v.id("posts"), body: v.string() }).relations((r: Loose) => ({
    about: r.one("posts", { field: "post", onDelete: "cascade" }),
  })),
  notes: defineTable({
    owner: v.string(),
    n: v.number(),
    text: v.string(),
    big: v.optional(v.bigint()),
    deletedAt: v.optional(v.number()),
  })
    .index("by_n", ["n"])
    .softDelete(),
  messages: isRefused ? messages.index("by_body", ["body"], { unique: true }) : messages,
}).rls("required");

const everything = ["people", "posts", "comments", "notes", "messages"].flatMap((table) =>
  (["read", "insert", "update", "delete"] as const).map((on) => definePolicy({ table, on, when: () => true })),
);
const open = rls(everything);
const own = rls([
  definePolicy({ table: "notes", on: "read", when: ({ auth }: Loose) => ({ owner: { eq: auth.userId } }) }),
]);

const handlers = {
  fill: mutation
    .use(open)
    .input({ count: v.number(), from: v.number() })
    .mutation(async ({ ctx, args }: Loose) => {
      for (let n = args.from; n < args.from + args.count; n += 1)
        await ctx.db.insert("notes", { owner: `u${n % 10}`, n, text: `note ${n}` });
    }),
  say: mutation
    .use(open)
    .input({ room: v.string(), body: v.string() })
    .mutation(async ({ ctx, args }: Loose) => ctx.db.insert("messages", args)),
  said: query
    .use(open)
    .input({ room: v.string() })
    .query(async ({ ctx }: Loose) => (await ctx.db.query("messages").collect()).map(({ body }: Loose) => body)),
  saidAnywhere: query.use(open).query(async ({ ctx }: Loose) => ctx.db.query("messages").collect()),
  mine: query.use(own).query(async ({ ctx }: Loose) => ctx.db.notes.count({})),
  whoAmI: internalQuery.query(async ({ ctx }: Loose) => ctx.auth.getIdentity()),
  note: internalMutation
    .use(open)
    .input({ text: v.string(), times: v.number(), fails: v.optional(v.string()) })
    .mutation(async ({ ctx, args }: Loose) => {
      for (let n = 0; n < args.times; n += 1)
        await ctx.db.insert("notes", { owner: ctx.auth.userId ?? "nobody", n, text: args.text });
      if (args.fails === "coded") throw new LunoraError("CONFLICT", "not now", { data: { text: args.text } });
      if (args.fails === "secret") throw new Error("the secret is 1234");
      return args.times;
    }),
  outside: action.input({ text: v.string() }).action(async ({ ctx, args }: Loose) => `${ctx.auth.userId} ${args.text}`),
  plan: mutation
    .input({ target: v.string(), args: v.any(), delay: v.number(), attempts: v.optional(v.number()) })
    .mutation(async ({ ctx, args }: Loose) =>
      ctx.scheduler.runAfter(
        args.delay,
        { path: `app:${args.target}`, kind: "mutation", address: { kind: "root" } },
        args.args,
        { retry: { maxAttempts: args.attempts ?? 1 } },
      ),
    ),
};

const room = { kind: "argument", argument: "room", field: "room" };
const functions = functionsOf("app", handlers, {
  say: room,
  said: room,
  saidAnywhere: { kind: "fanOut", field: "room", merge: { kind: "concat", by: "_creationTime" } },
  outside: { kind: "worker" },
});

const shapes: Loose = {
  notesFrom: defineShape({
    table: "notes",
    args: { least: v.number() },
    columns: ["owner", "n"] as never,
    where: (_ctx: Loose, { least }: Loose) => ({ n: { gte: least }, OR: [{ text: { contains: "note" } }, { n: 0 }] }),
    use: [own],
  }),
  broken: defineShape({ table: "notes", columns: ["nothing"] as never, use: [own] }),
  inRoom: defineShape({ table: "messages", args: { room: v.string() }, where: () => ({}), use: [open] }),
};
const shape = (name: string, address: object = { kind: "root" }): Loose => ({
  table: shapes[name].table,
  address,
  module: async () => shapes,
  exportName: name,
});

const app = defineApp({
  authorizeShard: () => true,
  authorizeFanOut: () => false,
  resolveIdentity: ({ token }) => (token === undefined ? null : { userId: token }),
});
const definition: LunoraDefinition = {
  schema,
  functions,
  app,
  admin,
  scheduling,
  shaping,
  fanOut,
  shapes: { notesFrom: shape("notesFrom"), broken: shape("broken"), inRoom: shape("inRoom", room) },
};

const crons = cronJobs().hourly("tidy", { minuteUTC: 5 }, { path: "app:note", kind: "mutation" } as Loose, {
  text: "tidy",
  times: 1,
});
createCronHandler(definition, crons);

export class ShardDO extends observedShard(definition) {}

export const ShardRegistryDO: ShardRegistryObjectClass = createShardRegistryObject(definition);

export const SchedulerDO = createSchedulerObject(definition);

export default observedWorker(definition, adminRoutes());
