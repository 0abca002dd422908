// The smallest app with a root table, a sharded table and every kind of function.
import { createShardObject, createShardRegistryObject } from "@lunora/do";
import type { ShardObjectClass, ShardRegistryObjectClass } from "@lunora/do";
import { createWorker, fanOut } from "@lunora/runtime";
import { defineApp, defineSchema, defineTable, initLunora, v } from "@lunora/server";
import type { FunctionRegistry, LunoraDefinition } from "@lunora/server";
import type { Loose } from "../loose.ts";

const { query, mutation, action, internalMutation } = initLunora.dataModel<Loose>().create();

const schema = defineSchema({
  channels: defineTable({ name: v.string(), topic: v.optional(v.string()) }).index("by_name", ["name"], {
    unique: true,
  }),
  messages: defineTable({ channelId: v.id("channels"), author: v.string(), body: v.string() })
    .shardBy("channelId")
    .index("by_author", ["author"]),
});

const handlers = {
  createChannel: mutation
    .input({ name: v.string() })
    .mutation(async ({ ctx, args }: Loose) => ctx.db.insert("channels", args)),
  listChannels: query.query(async ({ ctx }: Loose) => ctx.db.query("channels").collect()),
  send: mutation
    .input({ channelId: v.id("channels"), author: v.string(), body: v.string() })
    .mutation(async ({ ctx, args }: Loose) => ctx.db.insert("messages", args)),
  list: query
    .input({ channelId: v.id("channels") })
    .query(async ({ ctx }: Loose) => ctx.db.query("messages").order("desc").take(50)),
  all: query.query(async ({ ctx }: Loose) => ctx.db.query("messages").collect()),
  remove: internalMutation
    .input({ id: v.id("channels") })
    .mutation(async ({ ctx, args }: Loose) => ctx.db.delete("channels", args.id)),
  whoAmI: action.action(async ({ ctx }: Loose) => ctx.auth.getIdentity()),
};

const module = async (): Promise<Record<string, unknown>> => handlers;
const byChannel = { kind: "argument", argument: "channelId", field: "channelId" } as const;
const root = { kind: "root" } as const;

const functions: FunctionRegistry = {
  "chat:createChannel": { kind: "mutation", visibility: "public", address: root, module, exportName: "createChannel" },
  "chat:listChannels": { kind: "query", visibility: "public", address: root, module, exportName: "listChannels" },
  "chat:send": { kind: "mutation", visibility: "public", address: byChannel, module, exportName: "send" },
  "chat:list": { kind: "query", visibility: "public", address: byChannel, module, exportName: "list" },
  "chat:all": {
    kind: "query",
    visibility: "public",
    address: { kind: "fanOut", field: "channelId", merge: { kind: "concat", by: "_creationTime" } },
    module,
    exportName: "all",
  },
  "chat:remove": { kind: "mutation", visibility: "internal", address: root, module, exportName: "remove" },
  "chat:whoAmI": { kind: "action", visibility: "public", address: { kind: "worker" }, module, exportName: "whoAmI" },
};

const app = defineApp({
  authorizeShard: () => true,
  authorizeFanOut: () => true,
  resolveIdentity: ({ token }) => (token === undefined ? null : { userId: token }),
});

const definition: LunoraDefinition = { schema, functions, fanOut, app };
export const ShardDO: ShardObjectClass = createShardObject(definition);
export const ShardRegistryDO: ShardRegistryObjectClass = createShardRegistryObject(definition);
export default createWorker(definition);
