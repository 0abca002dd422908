import { CodedError } from "@lunora/errors";

/** How slowly something is repeated. */
export interface Delays {
  readonly initialDelayMs: number;
  readonly maxDelayMs: number;
}

/** How often and how slowly a call is repeated. */
export interface RetryPolicy extends Delays {
  /** Tries in all, the first one included. */
  readonly attempts: number;
}

export const DEFAULT_RETRY: RetryPolicy = { attempts: 7, initialDelayMs: 100, maxDelayMs: 3_000 };

/** Of connections, and of what is asked for over them. */
const RECONNECT: Delays = { initialDelayMs: 250, maxDelayMs: 30_000 };

/** What says nothing about the call itself: the same call may succeed a moment later. */
const UNAVAILABLE = 503;

/** Whether a failed call may be repeated, given that repeating it does no harm. */
export function isTransient(failure: unknown): boolean {
  return failure instanceof CodedError && failure.status === UNAVAILABLE;
}

/**
 * How long to wait after the given number of failures (1 and up), milliseconds: doubling, bounded,
 * and spread over its upper half so that clients do not come back together. `random` is in [0, 1).
 */
export function retryDelay(failures: number, random: number, delays: Delays = RECONNECT): number {
  const full = Math.min(delays.maxDelayMs, delays.initialDelayMs * 2 ** (failures - 1));
  return (full / 2) * (1 + random);
}
