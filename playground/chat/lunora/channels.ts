import { LunoraError } from "lunorash/errors";
import { definePresence } from "lunorash/server";
import { mutation, query, v } from "./_generated/server.js";

const NAME = /^[\p{Ll}\p{Lo}\p{N}]+(?:-[\p{Ll}\p{Lo}\p{N}]+)*$/u;
const LONGEST_NAME = 40;
const LONGEST_TOPIC = 120;

/** Who has a channel open. Each channel is a room of its own. */
export const room = definePresence({ data: v.object({ name: v.string() }), authorize: () => true });

export const list = query.query(({ ctx }) => ctx.db.query("channels").withIndex("by_name").collect());

export const byName = query.input({ name: v.string() }).query(({ ctx, args }) =>
  ctx.db
    .query("channels")
    .withIndex("by_name", (range) => range.eq("name", args.name))
    .unique(),
);

export const create = mutation
  .input({ name: v.string(), topic: v.optional(v.string()) })
  .mutation(async ({ ctx, args }) => {
    const name = args.name.trim();
    if (name.length > LONGEST_NAME || !NAME.test(name)) {
      throw new LunoraError(
        "CHANNEL_NAME_INVALID",
        `\`${name}\` is no channel name. Use up to ${LONGEST_NAME} lower-case letters and digits, joined by hyphens.`,
      );
    }
    const topic = args.topic?.trim();
    if (topic !== undefined && topic.length > LONGEST_TOPIC) {
      throw new LunoraError("TOPIC_TOO_LONG", `The topic has ${topic.length} characters; ${LONGEST_TOPIC} fit.`);
    }
    const existing = await ctx.db
      .query("channels")
      .withIndex("by_name", (range) => range.eq("name", name))
      .unique();
    if (existing !== null) {
      throw new LunoraError("CHANNEL_EXISTS", `There is already a channel called \`${name}\`.`, {
        status: 409,
        data: { id: existing._id },
      });
    }
    await ctx.db.insert("channels", topic ? { name, topic } : { name });
    return name;
  });
