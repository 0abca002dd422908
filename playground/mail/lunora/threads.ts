import { LunoraError } from "lunorash/errors";
import { internal } from "./_generated/api.js";
import type { Id } from "./_generated/dataModel.js";
import { action, internalMutation, query, v } from "./_generated/server.js";
import type { ActionCtx } from "./_generated/server.js";
import { mailerOf, replyAddress } from "./mailer.js";
import { randomHex } from "./secrets.js";

/** Sessions are signed for ids of `users` alone. */
function signedIn(userId: string | null): Id<"users"> {
  if (userId === null) throw new LunoraError("UNAUTHORIZED", "Sign in first.");
  return userId as Id<"users">;
}

export const list = query.query(async ({ ctx }) => {
  if (ctx.auth.userId === null) return [];
  const userId = signedIn(ctx.auth.userId);
  const threads = await ctx.db
    .query("threads")
    .withIndex("by_owner", (q) => q.eq("ownerId", userId))
    .order("desc")
    .take(100);
  return threads.map(({ _id, title, guest }) => ({ _id, title, guest }));
});

export const messages = query.input({ threadId: v.id("threads") }).query(async ({ ctx, args }) => {
  const thread = await ctx.db.get("threads", args.threadId);
  if (thread === null || thread.ownerId !== ctx.auth.userId) return [];
  return ctx.db
    .query("messages")
    .withIndex("by_thread", (q) => q.eq("threadId", args.threadId))
    .take(500);
});

/** Begins a thread with somebody who has nothing but a mail address. */
export const start = action
  .input({ title: v.string(), guest: v.string(), body: v.string() })
  .action(async ({ ctx, args: { body, ...thread } }) => {
    const ownerId = signedIn(ctx.auth.userId);
    const replyKey = randomHex(16);
    const { threadId, author } = await ctx.runMutation(internal.threads.create, { ...thread, ownerId, replyKey, body });
    await tell(ctx, { ...thread, replyKey }, author, body);
    return threadId;
  });

/** Writes into a thread, and mails it to the guest. */
export const say = action.input({ threadId: v.id("threads"), body: v.string() }).action(async ({ ctx, args }) => {
  const ownerId = signedIn(ctx.auth.userId);
  const { thread, author } = await ctx.runMutation(internal.threads.append, { ...args, ownerId });
  await tell(ctx, thread, author, args.body);
});

/** The answer to this mail comes back as a message. */
async function tell(
  ctx: ActionCtx,
  { title, guest, replyKey }: { title: string; guest: string; replyKey: string },
  author: string,
  body: string,
): Promise<void> {
  await mailerOf(ctx.env).send({
    to: { address: guest },
    replyTo: replyAddress(ctx.env, replyKey),
    subject: title,
    text: `${body}\n\n${author} wrote this in Threads. Answer this mail to reply.`,
  });
}

export const create = internalMutation
  .input({ title: v.string(), guest: v.string(), body: v.string(), ownerId: v.id("users"), replyKey: v.string() })
  .mutation(async ({ ctx, args: { body, ...thread } }) => {
    const owner = await ctx.db.get("users", thread.ownerId);
    if (owner === null) throw new LunoraError("UNAUTHORIZED", "Sign in again.");
    const guest = thread.guest.trim().toLowerCase();
    const threadId = await ctx.db.insert("threads", { ...thread, guest });
    await ctx.db.insert("messages", { threadId, author: owner.email, body });
    return { threadId, author: owner.email };
  });

export const append = internalMutation
  .input({ threadId: v.id("threads"), ownerId: v.id("users"), body: v.string() })
  .mutation(async ({ ctx, args: { threadId, ownerId, body } }) => {
    const [thread, owner] = [await ctx.db.get("threads", threadId), await ctx.db.get("users", ownerId)];
    if (thread === null || owner === null || thread.ownerId !== ownerId)
      throw new LunoraError("NOT_FOUND", "There is no such thread.");
    await ctx.db.insert("messages", { threadId, author: owner.email, body });
    return { thread, author: owner.email };
  });
