import type { AuthToken } from "./client.ts";
import { identityOf } from "./identity.ts";

/** Who is signed in. */
export class Session {
  /** Whose tokens these are; `undefined`: only their provider can say, and it has not yet. */
  declare identity: string | undefined;
  #token: AuthToken = null;
  #subject: string | undefined;
  #generation = 0;
  readonly #onIdentity: (identity: string) => void;

  /** `onIdentity` is told when a provider's answer says who it is. */
  constructor(token: AuthToken, subject: string | undefined, onIdentity: (identity: string) => void) {
    this.#onIdentity = onIdentity;
    this.set(token, subject);
  }

  set(token: AuthToken, subject: string | undefined): void {
    this.#token = token;
    this.#subject = subject;
    this.#generation++;
    if (typeof token !== "function") this.identity = identityOf(token, subject);
    else this.identity = subject === undefined ? undefined : identityOf(null, subject);
  }

  /** The token of the moment. */
  async token(): Promise<string | null> {
    const generation = this.#generation;
    const token = typeof this.#token === "function" ? await this.#token() : this.#token;
    if (generation !== this.#generation) return this.token();
    const identity = identityOf(token, this.#subject);
    if (identity !== this.identity) {
      this.identity = identity;
      this.#onIdentity(identity);
    }
    return token;
  }

  /** Whether another token than this one can be had. */
  canRenew(token: string | null): boolean {
    return typeof this.#token === "function" || this.#token !== token;
  }
}
