import type { Auth, Identity } from "@lunora/server";

import type { SessionFacts } from "./session.ts";

/** `ctx.auth`; looking at it is noted where somebody records what a function read. */
export function authOf(identity: Identity | null, { auth, footprint }: SessionFacts): Auth {
  if (footprint === undefined) return { userId: auth.userId, getIdentity: async () => identity };
  return {
    get userId() {
      footprint.noteIdentity();
      return auth.userId;
    },
    getIdentity: async () => {
      footprint.noteIdentity();
      return identity;
    },
  };
}
