/** Subscriptions of all kinds on one socket, and characters of arguments kept for them. */
export const MAX_SUBSCRIPTIONS = 1_000;
export const SUBSCRIPTION_LENGTH = 4_000_000;

/** One that was noted; tells it from a later one under the same key. */
export interface Subscription {
  readonly length: number;
}

/** What a socket is subscribed to, by the letter of its kind and its id. */
export class SubscriptionList {
  readonly #subscriptions = new Map<string, Subscription>();
  #length = 0;

  /** With `own`: and no other has come under its key. */
  has(key: string, own?: Subscription): boolean {
    const present = this.#subscriptions.get(key);
    return present !== undefined && (own === undefined || own === present);
  }

  /** Notes one, in place of another under its key. `undefined`: there is no room. */
  add(key: string, length: number): Subscription | undefined {
    const before = this.#subscriptions.get(key);
    const total = this.#length - (before?.length ?? 0) + length;
    const count = this.#subscriptions.size + (before === undefined ? 1 : 0);
    if (count > MAX_SUBSCRIPTIONS || total > SUBSCRIPTION_LENGTH) return undefined;
    const subscription = { length };
    this.#subscriptions.set(key, subscription);
    this.#length = total;
    return subscription;
  }

  /** Gives one up; with `own`, only when no other has come under its key. Whether there was one. */
  delete(key: string, own?: Subscription): boolean {
    const present = this.#subscriptions.get(key);
    if (present === undefined || (own !== undefined && own !== present)) return false;
    this.#length -= present.length;
    return this.#subscriptions.delete(key);
  }
}
