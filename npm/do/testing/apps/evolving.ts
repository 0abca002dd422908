// One table whose schema is chosen by a variable, for restarts with another schema on the same storage.
import { createShardObject, createShardRegistryObject } from "@lunora/do";
import type { ShardObject, ShardRegistryObjectClass } from "@lunora/do";
import { createWorker } from "@lunora/runtime";
import { defineSchema, defineTable, initLunora, v } from "@lunora/server";
import type { LunoraDefinition } from "@lunora/server";

import { doStep } from "../steps.ts";
import type { Loose } from "../loose.ts";

declare const STAGE: string;

const stages: Record<string, () => Loose> = {
  first: () =>
    defineTable({ name: v.string(), age: v.number(), note: v.optional(v.string()) }).index("by_age", ["age"]),
  indexAdded: () =>
    defineTable({ name: v.string(), age: v.number(), note: v.optional(v.string()) })
      .index("by_age", ["age"])
      .index("by_name", ["name"]),
  indexChanged: () =>
    defineTable({ name: v.string(), age: v.number(), note: v.optional(v.string()) }).index("by_age", ["age", "name"]),
  indexRemoved: () => defineTable({ name: v.string(), age: v.number(), note: v.optional(v.string()) }),
  unique: () =>
    defineTable({ name: v.string(), age: v.number(), note: v.optional(v.string()) }).index("by_age", ["age"], {
      unique: true,
    }),
  columnRemoved: () => defineTable({ name: v.string(), age: v.number() }).index("by_age", ["age"]),
  columnAdded: () =>
    defineTable({
      name: v.string(),
      age: v.number(),
      note: v.optional(v.string()),
      level: v.number().default(1),
      rank: v.number(),
    }).index("by_level", ["level"]),
  classChanged: () =>
    defineTable({ name: v.string(), age: v.union(v.number(), v.bigint()), note: v.optional(v.string()) }).index(
      "by_age",
      ["age"],
    ),
};

const { query, mutation } = initLunora.dataModel<Loose>().create();

async function run({ ctx, args }: Loose): Promise<unknown> {
  const results: unknown[] = [];
  for (const step of args.steps) results.push(await doStep(ctx.db, step, results));
  return results;
}

const handlers = {
  write: mutation.input({ steps: v.array(v.any()) }).mutation(run),
  read: query.input({ steps: v.array(v.any()) }).query(run),
};
const module = async (): Promise<Record<string, unknown>> => handlers;
const address = { kind: "root" } as const;

const definition: LunoraDefinition = {
  schema: defineSchema({ people: (stages[STAGE] as () => Loose)() }),
  functions: {
    "store:write": { kind: "mutation", visibility: "public", address, module, exportName: "write" },
    "store:read": { kind: "query", visibility: "public", address, module, exportName: "read" },
  },
  app: {},
};

/** The class with the fields that the platform\'s own has. */
const ShardBase = createShardObject(definition) as unknown as new (
  context: never,
  env: never,
) => ShardObject & { readonly ctx: Loose };

export class ShardDO extends ShardBase {
  async sql(text: string): Promise<unknown> {
    return this.ctx.storage.sql.exec(text).toArray();
  }
}

export const ShardRegistryDO: ShardRegistryObjectClass = createShardRegistryObject(definition);

const worker = createWorker(definition);

export default {
  async fetch(request: Request, env: Loose, context: Loose): Promise<Response> {
    if (new URL(request.url).pathname !== "/test") return worker.fetch(request, env, context);
    const { method, argument } = (await request.json()) as { method: string; argument: unknown };
    return Response.json(await env.SHARD.getByName("__root__")[method](argument));
  },
};
