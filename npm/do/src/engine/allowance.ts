/** What somebody may still do in a time. */
export interface Allowance {
  readonly tokens: number;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** What is left after one more; `undefined` when there is none. */
export function spend(
  allowance: Allowance | undefined,
  now: number,
  burst: number,
  perSecond: number,
): Allowance | undefined {
  const earned = allowance === undefined ? burst : allowance.tokens + ((now - allowance.at) / 1000) * perSecond;
  const tokens = Math.min(burst, earned) - 1;
  return tokens < 0 ? undefined : { tokens, at: now };
}
