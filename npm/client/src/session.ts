import type { AuthToken } from "./client.ts";
import { identityOf } from "./identity.ts";

/** Who is signed in. */
export interface Session {
  /** Whose tokens these are; `undefined`: only their provider can say, and it has not yet. */
  readonly identity: string | undefined;
  set(token: AuthToken, subject: string | undefined): void;
  /** The token of the moment. */
  token(): Promise<string | null>;
  /** Whether another token than this one can be had. */
  canRenew(token: string | null): boolean;
}

/** `onIdentity` is told when a provider's answer says who it is. */
export function createSession(onIdentity: () => void): Session {
  let given: AuthToken = null;
  let subject: string | undefined;
  let generation = 0;
  const session: { -readonly [Field in keyof Session]: Session[Field] } = {
    identity: undefined,
    set(token, name) {
      given = token;
      subject = name;
      generation++;
      // With a subject the token does not matter.
      const isUnknown = typeof token === "function" && name === undefined;
      session.identity = isUnknown ? undefined : identityOf(token as string | null, name);
    },
    async token() {
      const current = generation;
      const token = typeof given === "function" ? await given() : given;
      if (current !== generation) return session.token();
      const identity = identityOf(token, subject);
      if (identity !== session.identity) {
        session.identity = identity;
        onIdentity();
      }
      return token;
    },
    canRenew: (token) => given !== token,
  };
  return session;
}
