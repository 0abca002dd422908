import { defineSchema, defineTable, v } from "lunorash/server";

export const schema = defineSchema({
  ships: defineTable({ name: v.string() }).index("by_name", ["name"], { unique: true }),
  // Every ship has a database of its own.
  entries: defineTable({ ship: v.string(), text: v.string(), at: v.number() }).shardBy("ship"),
});
