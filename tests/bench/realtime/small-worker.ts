// The smallest app that does something: what a worker weighs before an app uses any of the parts that are put in for it.
import { createShardObject, createShardRegistryObject } from "@lunora/do";
import type { ShardObjectClass, ShardRegistryObjectClass } from "@lunora/do";
import { createWorker } from "@lunora/runtime";
import type { Worker } from "@lunora/runtime";
import { defineSchema, defineTable, initLunora, v } from "@lunora/server";
import type { LunoraDefinition } from "@lunora/server";

// oxlint-disable-next-line typescript/no-explicit-any -- written by hand, as generated code would type it
type Loose = any;

const { query, mutation } = initLunora.dataModel<Loose>().create();

const handlers: Record<string, unknown> = {
  list: query.query(async ({ ctx }: Loose) => ctx.db.query("notes").order("desc").take(50)),
  add: mutation
    .input({ text: v.string() })
    .mutation(async ({ ctx, args }: Loose) => ctx.db.insert("notes", { text: args.text })),
};

/** The parts that are always there; others are spread into it. */
export const definition: LunoraDefinition = {
  schema: defineSchema({ notes: defineTable({ text: v.string() }) }),
  functions: {
    notes: [
      async () => handlers,
      '{"add":["mutation","public",{"kind":"root"}],"list":["query","public",{"kind":"root"}]}',
    ],
  },
  app: {},
};

export const ShardDO: ShardObjectClass = createShardObject(definition);
export const ShardRegistryDO: ShardRegistryObjectClass = createShardRegistryObject(definition);
const worker: Worker = createWorker(definition);
export default worker;
