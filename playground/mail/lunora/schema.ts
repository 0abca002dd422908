import { defineSchema, defineTable, v } from "lunorash/server";

export const schema = defineSchema({
  users: defineTable({ email: v.string() }).index("by_email", ["email"], { unique: true }),
  // A link that was mailed and not used yet. The token itself is in the mail and nowhere else.
  links: defineTable({ email: v.string(), tokenHash: v.string(), expiresAt: v.number() })
    .index("by_token", ["tokenHash"], { unique: true })
    .index("by_email", ["email"], { unique: true }),
  // Who knows the reply key may write into the thread: it is part of the address that mails are answered to.
  threads: defineTable({ title: v.string(), ownerId: v.id("users"), guest: v.string(), replyKey: v.string() })
    .index("by_owner", ["ownerId"])
    .index("by_reply_key", ["replyKey"], { unique: true }),
  messages: defineTable({ threadId: v.id("threads"), author: v.string(), body: v.string() }).index("by_thread", [
    "threadId",
  ]),
}).jurisdiction("eu");
