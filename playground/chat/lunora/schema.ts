import { defineSchema, defineTable, v } from "lunorash/server";

export const schema = defineSchema({
  channels: defineTable({ name: v.string(), topic: v.optional(v.string()) }).index("by_name", ["name"], {
    unique: true,
  }),
  // Every channel has a database of its own, so a busy one slows nobody else down.
  messages: defineTable({
    channelId: v.id("channels"),
    author: v.string(),
    body: v.string(),
    editedAt: v.optional(v.number()),
  }).shardBy("channelId"),
});
