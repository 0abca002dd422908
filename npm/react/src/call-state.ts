import type { Store } from "@lunora/client";

/** How the calls made through one hook stand. */
export interface CallStatus<Result> {
  /** A call has not been decided yet. */
  readonly pending: boolean;
  /** What the newest call resolved to, once it has. */
  readonly data: Result | undefined;
  /** Why the newest call failed, if it did. */
  readonly error: unknown;
}

const IDLE: CallStatus<never> = { pending: false, data: undefined, error: undefined };

/** Keeps book of calls. What an older call came to does not overwrite what a newer one did. */
export class CallState<Result> implements Store<CallStatus<Result>> {
  readonly #listeners = new Set<() => void>();
  #status: CallStatus<Result> = IDLE;
  #underWay = 0;
  #newest = 0;

  readonly getSnapshot = (): CallStatus<Result> => this.#status;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Follows a call that has just been made. */
  follow(call: Promise<Result>): void {
    this.#newest += 1;
    this.#underWay += 1;
    const number = this.#newest;
    this.#change({ pending: true, data: undefined, error: undefined });
    call.then(
      (data) => this.#settle(number, { data, error: undefined }),
      (error: unknown) => this.#settle(number, { data: undefined, error }),
    );
  }

  /** Forgets results and errors, also of calls that are still under way. */
  readonly reset = (): void => {
    this.#newest += 1;
    this.#change({ ...IDLE, pending: this.#underWay > 0 });
  };

  #settle(number: number, outcome: Pick<CallStatus<Result>, "data" | "error">): void {
    this.#underWay -= 1;
    const { data, error } = number === this.#newest ? outcome : this.#status;
    this.#change({ pending: this.#underWay > 0, data, error });
  }

  #change(status: CallStatus<Result>): void {
    const { pending, data, error } = this.#status;
    if (pending === status.pending && data === status.data && error === status.error) return;
    this.#status = status;
    for (const listener of this.#listeners) listener();
  }
}
