// An app for export and import: every tier, every kind of value, a unique index, a trigger.
import { admin, createShardRegistryObject } from "@lunora/do";
import type { ShardRegistryObjectClass } from "@lunora/do";
import { functionReference } from "@lunora/protocol";
import type { FunctionReference } from "@lunora/protocol";
import { adminRoutes } from "@lunora/runtime";
import { createSchedulerObject, scheduling } from "@lunora/scheduler";
import { defineApp, defineSchema, defineTable, v } from "@lunora/server";
import type { LunoraDefinition } from "@lunora/server";
import type { Loose } from "../loose.ts";
import { functionsOf, observedShard, observedWorker } from "../observed-app.ts";
import { stepFunctions } from "../step-functions.ts";

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

const handlers = stepFunctions({
  schedule: async (ctx, delay, steps = []) => {
    const target = functionReference<FunctionReference>("t:write", "mutation", { kind: "root" });
    return ctx.scheduler.runAfter(delay, target, { steps });
  },
  fill: async (ctx, table, count, document) => {
    for (let index = 0; index < count; index += 1)
      await ctx.db.insert(table, { ...document, text: `${document.text} ${index}` });
  },
});
const room = isAtRoot ? { kind: "root" } : { kind: "argument", argument: "room", field: "room" };
const functions = functionsOf("t", handlers, { writeRoom: room, listRoom: room });

const app = defineApp({
  authorizeShard: () => true,
  resolveIdentity: ({ token }) => (token === undefined ? null : { userId: token }),
  // So little that exports have to keep the log themselves.
  opLog: { rows: 50, ageMs: 1 },
  limits: { bodyBytes: 4_000_000 },
});
const definition: LunoraDefinition = { schema, functions, app, admin, scheduling };

export class ShardDO extends observedShard(definition) {}

export const ShardRegistryDO: ShardRegistryObjectClass = createShardRegistryObject(definition);

export const SchedulerDO = createSchedulerObject(definition);

export default observedWorker(definition, adminRoutes());
