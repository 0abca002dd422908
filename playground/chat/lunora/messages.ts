import { LunoraError } from "lunorash/errors";
import type { Id } from "./_generated/dataModel.js";
import type { MutationCtx } from "./_generated/server.js";
import { mutation, query, v } from "./_generated/server.js";

const LONGEST_BODY = 4000;
const LONGEST_AUTHOR = 40;

/** The newest messages of a channel, newest first. Runs in the channel's own shard. */
export const list = query
  .input({ channelId: v.id("channels") })
  .query(({ ctx }) => ctx.db.query("messages").order("desc").take(50));

/** The newest messages of all channels: every shard is asked, and the best answers are merged. */
export const latest = query
  .fanOut({ kind: "topK", by: "_creationTime", k: 20, direction: "desc" })
  .query(({ ctx }) => ctx.db.query("messages").order("desc").take(20));

export const send = mutation
  .input({ channelId: v.id("channels"), author: v.string(), body: v.string() })
  .mutation(({ ctx, args }) =>
    ctx.db.insert("messages", {
      channelId: args.channelId,
      author: required("author", args.author, LONGEST_AUTHOR),
      body: required("message", args.body, LONGEST_BODY),
    }),
  );

/** The id of a message says which shard it is in, so no channel has to be named. */
export const edit = mutation
  .input({ id: v.id("messages"), author: v.string(), body: v.string() })
  .mutation(async ({ ctx, args }) => {
    await mustBeBy(ctx, args.id, args.author);
    const body = required("message", args.body, LONGEST_BODY);
    await ctx.db.patch("messages", args.id, { body, editedAt: ctx.now });
  });

export const remove = mutation.input({ id: v.id("messages"), author: v.string() }).mutation(async ({ ctx, args }) => {
  await mustBeBy(ctx, args.id, args.author);
  await ctx.db.delete("messages", args.id);
});

async function mustBeBy(ctx: MutationCtx, id: Id<"messages">, author: string): Promise<void> {
  const message = await ctx.db.get("messages", id);
  if (message === null) throw new LunoraError("NOT_FOUND", "This message was deleted.");
  if (message.author !== author) {
    throw new LunoraError("NOT_THE_AUTHOR", `Only ${message.author} can change this message.`, { status: 403 });
  }
}

function required(what: string, text: string, longest: number): string {
  const trimmed = text.trim();
  if (trimmed === "") throw new LunoraError("TEXT_MISSING", `The ${what} is empty.`);
  if (trimmed.length > longest) {
    throw new LunoraError("TEXT_TOO_LONG", `The ${what} has ${trimmed.length} characters; ${longest} fit.`);
  }
  return trimmed;
}
