import { LunoraError } from "@lunora/errors";

/** What the platform says about an error of an object. */
interface ObjectError {
  readonly retryable?: unknown;
  readonly overloaded?: unknown;
}

/** How long to wait before each new attempt, milliseconds. */
const PAUSES = [20, 80, 320];

/** How a commit is refused when the disk has no room: asking again would meet the same. */
const FULL = /SQLITE_FULL|database or disk is full/;

/** Time, so that tests can hold it. */
export interface Timers {
  sleep(milliseconds: number): Promise<void>;
}

export const REAL_TIMERS: Timers = {
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};

/**
 * Calls an object. When the platform lost it on the way, the call is repeated where that is safe:
 * for what changes nothing, and for what happens once however often it arrives. An object that is
 * overloaded is left alone. Whatever else is thrown is the platform's word, and becomes a coded error.
 */
export async function callObject<Methods, Result>(
  reach: () => Methods,
  call: (stub: Methods) => Promise<Result>,
  isRepeatable: boolean,
  timers: Timers = REAL_TIMERS,
): Promise<Result> {
  for (let attempt = 0; ; attempt += 1) {
    // A stub is broken after it threw.
    const stub = reach();
    try {
      return await call(stub);
    } catch (error) {
      if (error instanceof LunoraError) throw error;
      const { retryable, overloaded } = (error ?? {}) as ObjectError;
      if (FULL.test(String(error))) {
        console.error("[lunora] an object has no room", error);
        throw new LunoraError("STORAGE_FULL", "the shard's storage is full; nothing of this call was written", {
          cause: error,
        });
      }
      const pause = PAUSES[attempt];
      if (isRepeatable && retryable === true && overloaded !== true && pause !== undefined) {
        await timers.sleep(pause * (0.5 + Math.random()));
        continue;
      }
      console.error("[lunora] an object did not answer", error);
      if (overloaded === true) throw new LunoraError("SHARD_UNAVAILABLE", "the shard is overloaded", { cause: error });
      throw new LunoraError("SHARD_ERROR", "the shard failed before it answered", { cause: error });
    }
  }
}
