import { LunoraError } from "lunorash/errors";
import { api } from "./_generated/api.js";
import { mutation, v } from "./_generated/server.js";

const LONGEST_WAIT = 7 * 24 * 60;

/** Writes a message later, once, whatever happens to the server until then. */
export const set = mutation
  .input({ channelId: v.id("channels"), author: v.string(), body: v.string(), minutes: v.number() })
  .mutation(({ ctx, args: { minutes, body, ...message } }) => {
    if (!(minutes >= 0 && minutes <= LONGEST_WAIT))
      throw new LunoraError("WAIT_TOO_LONG", `A reminder comes within ${LONGEST_WAIT} minutes.`);
    return ctx.scheduler.runAfter(minutes * 60_000, api.messages.send, { ...message, body: `⏰ ${body}` });
  });
