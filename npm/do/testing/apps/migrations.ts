// An app for data migrations: every tier, a unique index, a trigger, and transforms of every kind of wrong.
import { admin, createShardRegistryObject, shaping } from "@lunora/do";
import type { ShardRegistryObjectClass } from "@lunora/do";
import { adminRoutes } from "@lunora/runtime";
import { defineApp, defineMigration, defineSchema, defineTable, LunoraError, shapesOf, v } from "@lunora/server";
import type { LunoraDefinition, MigrationRegistry } from "@lunora/server";
import type { Loose } from "../loose.ts";
import { functionsOf, observedShard, observedWorker } from "../observed-app.ts";
import { stepFunctions } from "../step-functions.ts";

const shape = shapesOf<Loose>();

const columns = {
  text: v.string(),
  n: v.optional(v.number()),
  code: v.optional(v.string()),
  kind: v.optional(v.string().default("plain")),
  gone: v.optional(v.number()),
};

const schema = defineSchema({
  things: defineTable(columns)
    .index("by_n", ["n"])
    .softDelete({ field: "gone" })
    .triggers((t: Loose) => ({
      note: t.afterUpdate(async ({ ctx }: Loose) => ctx.db.insert("notes", { text: "a trigger ran" })),
    })),
  odds: defineTable(columns).index("by_code", ["code"], { unique: true }),
  pairs: defineTable(columns).index("by_code", ["code"], { unique: true }),
  olds: defineTable(columns),
  notes: defineTable({ text: v.string() }),
  messages: defineTable({ room: v.string(), text: v.string(), reply: v.optional(v.id("messages")) }).shardBy("room"),
  marks: defineTable({ name: v.string() }).colocated(),
  world: defineTable({ name: v.string() }).global(),
});

/** What one row asks its transform to give. */
function wrong(doc: Loose): Loose {
  switch (doc.text) {
    case "throws":
      throw new Error("no such luck");
    case "coded":
      throw new LunoraError("CONFLICT", "of the app's own");
    case "null":
      return null;
    case "text":
      return "text";
    case "array":
      return [doc];
    case "promise":
      return Promise.resolve(doc);
    case "id":
      return { ...doc, _id: `${doc._id}x` };
    case "time":
      return { ...doc, _creationTime: 1 };
    case "type":
      return { ...doc, n: "1" };
    case "missing":
      return { n: 1 };
    case "unknown":
      return { ...doc, other: 1 };
    case "surrogate":
      return { ...doc, text: "\ud800" };
    case "large":
      return { ...doc, text: "x".repeat(2_100_000) };
    case "taken":
      return { ...doc, code: "taken" };
    default:
      return { ...doc, n: 1 };
  }
}

const declared = [
  defineMigration({
    id: "1-count",
    table: "things",
    up: (doc) => ({ ...doc, n: (doc.n ?? 0) + 1 }),
    down: (doc) => ({ ...doc, n: doc.n - 1 }),
  }),
  defineMigration({ id: "2-wrong", table: "odds", up: wrong }),
  defineMigration({
    id: "3-messages",
    table: "messages",
    up: (doc) => {
      if (doc.text === "BAD") throw new Error("bad message");
      if (doc.text === "move") return { ...doc, room: "elsewhere" };
      return doc.text === doc.text.toUpperCase() ? undefined : { ...doc, text: doc.text.toUpperCase() };
    },
    down: (doc) => ({ ...doc, text: doc.text.toLowerCase() }),
    batchSize: 3,
  }),
  defineMigration({ id: "4-marks", table: "marks", up: (doc) => ({ ...doc, name: `${doc.name}!` }) }),
  defineMigration({ id: "5-world", table: "world", up: (doc) => doc }),
  defineMigration({ id: "6-keep", table: "olds", up: (doc) => ({ ...doc, n: 1 }) }),
  defineMigration({ id: "6-rename", table: "olds", up: ({ old, ...doc }) => ({ ...doc, text: old ?? doc.text }) }),
  defineMigration({ id: "7-same", table: "olds", up: ({ text, ...doc }) => ({ ...doc, text }) }),
  defineMigration({ id: "8-pair", table: "pairs", up: (doc) => ({ ...doc, code: "the same" }) }),
  defineMigration({ id: "9-after", table: "things", up: (doc) => doc, down: (doc) => doc }),
];
const migrations: MigrationRegistry = Object.fromEntries(
  declared.map(({ id, table, down }) => [
    id,
    {
      table,
      hasDown: down !== undefined,
      module: async () => Object.fromEntries([[id, migration(id)]]),
      exportName: id,
    },
  ]),
);
function migration(id: string): Loose {
  return declared.find((one) => one.id === id);
}

const handlers = stepFunctions({
  fill: async (ctx, table, count, document) => {
    for (let index = 0; index < count; index += 1) await ctx.db.insert(table, document);
  },
});
const byRoom = { kind: "argument", argument: "room", field: "room" } as const;
const functions = functionsOf("t", handlers, { writeRoom: byRoom, listRoom: byRoom });
const shapes: LunoraDefinition["shapes"] = {
  things: {
    table: "things",
    address: { kind: "root" },
    module: async () => ({ things: shape({ table: "things", columns: ["text", "n"] }) }),
    exportName: "things",
  },
};

const definition: LunoraDefinition = {
  schema,
  functions,
  shapes,
  shaping,
  migrations,
  app: defineApp({ authorizeShard: () => true }),
  admin,
};

export class ShardDO extends observedShard(definition) {}

export const ShardRegistryDO: ShardRegistryObjectClass = createShardRegistryObject(definition);

export default observedWorker(definition, adminRoutes());
