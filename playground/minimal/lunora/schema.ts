import { defineSchema, defineTable, v } from "lunorash/server";

export const schema = defineSchema({
  notes: defineTable({ text: v.string() }),
});
