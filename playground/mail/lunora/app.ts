import { createInboundEmailHandler, dispatchToLunoraFunction, parseInboundEmail } from "lunorash/mail/inbound";
import { defineApp } from "lunorash/server";
import { internal } from "./_generated/api.js";
import { readSession } from "./session.js";

export default defineApp({
  resolveIdentity: ({ token, env }) => readSession(env, token),
  email: createInboundEmailHandler({
    parse: parseInboundEmail,
    dispatch: dispatchToLunoraFunction({
      functionPath: internal.replies.receive,
      jurisdiction: "eu",
      // The envelope says where the mail went; `from` and `text` are the sender's words.
      resolveArgs: ({ from, text }, { to }) => ({ to, from: from?.address ?? "", text: text ?? "" }),
    }),
  }),
});
