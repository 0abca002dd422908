import { LunoraError } from "@lunora/errors";

/** The run that the clock is watching. */
interface Watched {
  readonly since: number;
  readonly fail: () => void;
}

/**
 * Ends what takes too long. Made for many short runs, one after the other: one timer serves them
 * all, and when it rings too early for the present run it is set again for the rest of its time.
 */
export class Deadline {
  readonly #milliseconds: number;
  readonly #now: () => number;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #watched: Watched | undefined;

  constructor(milliseconds: number, now: () => number) {
    this.#milliseconds = milliseconds;
    this.#now = now;
  }

  /** Runs; rejects with `MUTATION_TIMEOUT` in time. What `onTimeout` does is done before it settles. */
  run<Result>(run: () => Promise<Result>, onTimeout: () => void, what: () => string): Promise<Result> {
    return new Promise((resolve, reject) => {
      const watched: Watched = {
        since: this.#now(),
        fail: () => {
          try {
            onTimeout();
            reject(
              new LunoraError(
                "MUTATION_TIMEOUT",
                `${what()} did not settle within ${this.#milliseconds} ms and was rolled back`,
              ),
            );
          } catch (error) {
            reject(error);
          }
        },
      };
      this.#watched = watched;
      run().then(
        (result) => {
          if (this.#watched === watched) this.#watched = undefined;
          resolve(result);
        },
        (error: unknown) => {
          if (this.#watched === watched) this.#watched = undefined;
          reject(error);
        },
      );
    });
  }

  /** The present run waits for something outside: from now on time counts. */
  arm(): void {
    if (this.#timer === null && this.#watched !== undefined) this.#arm(this.#milliseconds);
  }

  #arm(milliseconds: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = null;
      const watched = this.#watched;
      if (watched === undefined) return;
      const rest = watched.since + this.#milliseconds - this.#now();
      if (rest > 0) {
        this.#arm(rest);
        return;
      }
      this.#watched = undefined;
      watched.fail();
    }, milliseconds);
  }

  /** The last run has ended. */
  stop(): void {
    this.#watched = undefined;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
