import { LunoraError } from "lunorash/errors";
import { internal } from "./_generated/api.js";
import type { Id } from "./_generated/dataModel.js";
import { action, internalMutation, query, v } from "./_generated/server.js";
import { mailerOf } from "./mailer.js";
import { hashOf, randomHex } from "./secrets.js";
import { SESSION_MS, signSession } from "./session.js";
import { setting } from "./settings.js";

/** How long a link works. */
const LINK_MS = 15 * 60 * 1000;

/** Between two mails to the same address. */
const PAUSE_MS = 30 * 1000;

/** Mails a link. Answers the same whether or not the address is known, and whether or not a mail was due. */
export const request = action.input({ email: v.string() }).action(async ({ ctx, args }) => {
  const email = args.email.trim().toLowerCase();
  const token = randomHex(32);
  const isDue = await ctx.runMutation(internal.signIn.begin, { email, tokenHash: await hashOf(token) });
  if (!isDue) return null;
  // The address of the app is a setting: a request could name any host. After `#` it reaches no server and no log.
  const link = `${setting(ctx.env, "APP_URL")}/#token=${token}`;
  await mailerOf(ctx.env).send({
    to: { address: email },
    subject: "Your link to sign in",
    text: `Sign in to Threads:\n\n${link}\n\nIt works once, for 15 minutes. If you did not ask for it, do nothing.`,
    html: `<p><a href="${link}">Sign in to Threads</a></p><p>It works once, for 15 minutes. If you did not ask for it, do nothing.</p>`,
  });
  return null;
});

/** Trades the token of a link for a session. */
export const complete = action.input({ token: v.string() }).action(async ({ ctx, args }) => {
  const userId = await ctx.runMutation(internal.signIn.redeem, { tokenHash: await hashOf(args.token) });
  if (userId === null)
    throw new LunoraError("LINK_INVALID", "This link was used, is too old, or never was one. Ask for another.");
  return signSession(ctx.env, userId, ctx.now + SESSION_MS);
});

export const me = query.query(async ({ ctx }) => {
  const { userId } = ctx.auth;
  return userId === null ? null : ((await ctx.db.get("users", userId as Id<"users">))?.email ?? null);
});

/** Keeps the hash of a new link in the place of an older one. `false` so soon after the last. */
export const begin = internalMutation
  .input({ email: v.string(), tokenHash: v.string() })
  .mutation(async ({ ctx, args }) => {
    const before = await ctx.db
      .query("links")
      .withIndex("by_email", (q) => q.eq("email", args.email))
      .unique();
    if (before !== null) {
      if (before.expiresAt - LINK_MS > ctx.now - PAUSE_MS) return false;
      await ctx.db.delete("links", before._id);
    }
    await ctx.db.insert("links", { ...args, expiresAt: ctx.now + LINK_MS });
    return true;
  });

/** Takes a link away, and answers whose it was. A mutation: of two who come at once one gets it. */
export const redeem = internalMutation.input({ tokenHash: v.string() }).mutation(async ({ ctx, args }) => {
  const link = await ctx.db
    .query("links")
    .withIndex("by_token", (q) => q.eq("tokenHash", args.tokenHash))
    .unique();
  if (link === null) return null;
  await ctx.db.delete("links", link._id);
  if (link.expiresAt <= ctx.now) return null;
  const user = await ctx.db
    .query("users")
    .withIndex("by_email", (q) => q.eq("email", link.email))
    .unique();
  return user?._id ?? ctx.db.insert("users", { email: link.email });
});
