// An app of very many shards, each of which has a row.
import { admin, createShardObject, createShardRegistryObject } from "@lunora/do";
import type { ShardObjectClass, ShardRegistryObjectClass } from "@lunora/do";
import { adminRoutes, createWorker, fanOut } from "@lunora/runtime";
import type { Worker } from "@lunora/runtime";
import { defineApp, defineSchema, defineTable, initLunora, v } from "@lunora/server";
import type { LunoraDefinition } from "@lunora/server";

import type { Loose } from "../loose.ts";
import { functionsOf } from "../observed-app.ts";

const { query, mutation } = initLunora.dataModel<Loose>().create();

const schema = defineSchema({ notes: defineTable({ room: v.string(), text: v.string() }).shardBy("room") });

const handlers = {
  add: mutation
    .input({ room: v.string(), text: v.string() })
    .mutation(async ({ ctx, args }: Loose) => ctx.db.insert("notes", args)),
  count: query.query(async ({ ctx }: Loose) => (await ctx.db.query("notes").collect()).length),
};

const definition: LunoraDefinition = {
  schema,
  functions: functionsOf("notes", handlers, {
    add: { kind: "argument", argument: "room", field: "room" },
    count: { kind: "fanOut", field: "room", merge: { kind: "sum" } },
  }),
  fanOut,
  admin,
  app: defineApp({ authorizeShard: () => true, authorizeFanOut: () => true }),
};

export const ShardDO: ShardObjectClass = createShardObject(definition);

export const ShardRegistryDO: ShardRegistryObjectClass = createShardRegistryObject(definition);

export default createWorker(definition, { routes: adminRoutes() }) as Worker;
