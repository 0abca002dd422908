// An app for streams: short and endless ones, durable and not.
import { createShardRegistryObject, streams } from "@lunora/do";
import type { ShardRegistryObjectClass } from "@lunora/do";
import { LunoraError } from "@lunora/errors";
import { defineApp, definePolicies, definePolicy, defineSchema, defineTable, initLunora, rls, v } from "@lunora/server";
import type { LunoraDefinition } from "@lunora/server";
import type { Loose } from "../loose.ts";
import { functionsOf, observedShard, observedWorker } from "../observed-app.ts";

const { query, mutation, internalQuery } = initLunora.dataModel<Loose>().create();

const schema = defineSchema({
  notes: defineTable({ text: v.string(), owner: v.optional(v.string()) }).public(),
  rooms: defineTable({ room: v.string(), text: v.string() }).shardBy("room"),
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What generators have done, in this object. */
const seen: Record<string, Loose> = {};
/** Those who wait for a word from the test. */
const gates = new Map<string, () => void>();

function note(name: string, field: string, value: Loose): void {
  (seen[name] ??= {})[field] = value;
}

async function* gated({ args, signal }: Loose): AsyncGenerator<Loose> {
  note(args.name, "starts", (seen[args.name]?.starts ?? 0) + 1);
  signal.addEventListener("abort", () => note(args.name, "aborted", true));
  try {
    for (let index = 1; index <= args.chunks; index += 1) {
      await new Promise<void>((resolve) => gates.set(args.name, resolve));
      note(args.name, "yielded", index);
      yield `${args.name} ${index}`;
    }
  } finally {
    note(args.name, "left", true);
  }
}

async function* count({ args }: Loose): AsyncGenerator<Loose> {
  for (let index = 1; index <= args.to; index += 1) {
    note(args.name ?? "count", "yielded", index);
    if (args.fail === index) throw new LunoraError("CONFLICT", "told to fail", { data: { index } });
    yield args.size === undefined ? index : "x".repeat(args.size);
    if (args.pause !== undefined) await pause(args.pause);
  }
}

const policies = definePolicies([
  definePolicy({ table: "notes", on: "read", when: ({ auth }: Loose) => ({ owner: auth.userId }) } as Loose),
]);

const gatedInput = { name: v.string(), chunks: v.number() };
const countInput = {
  to: v.number(),
  name: v.optional(v.string()),
  fail: v.optional(v.number()),
  size: v.optional(v.number()),
  pause: v.optional(v.number()),
};

const handlers = {
  add: mutation
    .input({ text: v.string(), owner: v.optional(v.string()) })
    .mutation(async ({ ctx, args }: Loose) => ctx.db.insert("notes", args)),
  list: query.query(async ({ ctx }: Loose) => (await ctx.db.query("notes").collect()).map((row: Loose) => row.text)),
  gated: query.input(gatedInput).stream(gated),
  durable: query.input(gatedInput).stream(gated, { durable: true }),
  count: query.input(countInput).stream(count),
  kept: query.input(countInput).stream(count, { durable: true }),
  brief: query.input(countInput).stream(count, { durable: { ttlMs: 1 } }),
  /** Every value that JSON cannot hold. */
  values: query.stream(async function* () {
    yield undefined;
    yield 5n;
    yield new Date(5);
    yield new Uint8Array([1, 2]);
    yield [undefined];
  }),
  /** Reads, waits, reads. */
  reads: query.input({ name: v.string() }).stream(async function* ({ ctx, args }: Loose) {
    for (;;) {
      yield (await ctx.runQuery({ path: "streams:list", kind: "query", address: { kind: "root" } })).length;
      await new Promise<void>((resolve) => gates.set(args.name, resolve));
    }
  }),
  mine: query.use(rls(policies) as Loose).stream(async function* ({ ctx }: Loose) {
    for (const row of await ctx.db.query("notes").collect()) yield row.text;
  }),
  who: query.stream(
    async function* ({ ctx }: Loose) {
      yield ctx.auth.userId;
      yield await ctx.auth.getIdentity();
      yield typeof ctx.fetch;
    },
    { durable: true },
  ),
  writes: query.stream(async function* ({ ctx }: Loose) {
    yield "before";
    await ctx.db.insert("notes", { text: "never" });
  }),
  late: query.input({ name: v.string() }).stream(async function* ({ ctx, args }: Loose) {
    void (async () => {
      await pause(50);
      try {
        await ctx.db.query("notes").collect();
        note(args.name, "late", "read");
      } catch (error) {
        note(args.name, "late", (error as Loose).code);
      }
    })();
    yield 1;
  }),
  room: query.input({ room: v.string() }).stream(async function* ({ ctx }: Loose) {
    for (const row of await ctx.db.query("rooms").collect()) yield row.text;
  }),
  notGenerator: query.stream((async () => 5) as Loose),
  secret: internalQuery.stream(async function* () {
    yield "secret";
  }),
};

const byRoom = { kind: "argument", argument: "room", field: "room" } as const;

const functions = functionsOf("streams", handlers, { room: byRoom });

const app = defineApp({
  resolveIdentity: ({ token }) => {
    if (token === undefined) return null;
    const [userId = "", jti = "", team = ""] = token.split("~");
    return { userId, jti, team };
  },
  authorizeShard: ({ identity, functionPath }) => !(identity?.userId === "outcast" && functionPath !== null),
});

const definition: LunoraDefinition = { schema, functions, app, streams };

export class ShardDO extends observedShard(definition) {
  async seen(name: string): Promise<unknown> {
    return seen[name] ?? null;
  }

  /** Lets a generator that waits go on; whether one waited. */
  async pass(name: string): Promise<boolean> {
    const gate = gates.get(name);
    gates.delete(name);
    gate?.();
    return gate !== undefined;
  }

  async alarmTime(): Promise<unknown> {
    return this.ctx.storage.getAlarm();
  }
}

export const ShardRegistryDO: ShardRegistryObjectClass = createShardRegistryObject(definition);

export default observedWorker(definition);
