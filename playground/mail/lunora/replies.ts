import { LunoraError } from "lunorash/errors";
import { internalMutation, v } from "./_generated/server.js";
import { replyKeyOf } from "./mailer.js";

const LONGEST = 20_000;

/** A mail to `reply+<key>@…` becomes a message. What fails here is rejected, and the sender learns nothing else. */
export const receive = internalMutation
  .input({ to: v.string(), from: v.string(), text: v.string() })
  .mutation(async ({ ctx, args: { to, from, text } }) => {
    const replyKey = replyKeyOf(to);
    const thread =
      replyKey === null
        ? null
        : await ctx.db
            .query("threads")
            .withIndex("by_reply_key", (q) => q.eq("replyKey", replyKey))
            .unique();
    // The key is the proof; that `from` is the guest only keeps forwarded mails out, since anybody can write it.
    if (thread === null || thread.guest !== from.toLowerCase())
      throw new LunoraError("NOT_FOUND", "no thread takes this mail");
    const body = withoutQuotes(text).slice(0, LONGEST);
    if (body === "") throw new LunoraError("BAD_REQUEST", "the mail says nothing");
    await ctx.db.insert("messages", { threadId: thread._id, author: thread.guest, body });
  });

/** What the sender wrote: without the lines that quote the mail that is answered, and the line that says so. */
function withoutQuotes(text: string): string {
  const lines = text.replaceAll("\r\n", "\n").split("\n");
  const quote = lines.findIndex((line) => line.startsWith(">"));
  const own = quote < 0 ? lines : lines.slice(0, quote);
  if (quote >= 0) while (own.at(-1)?.trim() === "" || own.at(-1)?.trimEnd().endsWith(":")) own.pop();
  return own.join("\n").trim();
}
