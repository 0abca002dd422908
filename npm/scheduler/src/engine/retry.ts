import type { RetryOptions } from "@lunora/server";

/** How often, and after how long. */
export type RetryPolicy = Required<RetryOptions>;

export const DEFAULT_RETRY: RetryPolicy = { maxAttempts: 5, baseMs: 30_000, maxMs: 3_600_000 };

/**
 * How long to wait after a number of failures, milliseconds: twice as long each time, up to the longest, and of that
 * a random half to all. `random`: from 0 up to, but not including, 1.
 */
export function retryDelay(failures: number, { baseMs, maxMs }: RetryPolicy, random: number): number {
  const longest = Math.min(maxMs, baseMs * 2 ** Math.min(failures - 1, 52));
  return longest * (0.5 + random / 2);
}
