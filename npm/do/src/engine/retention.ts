/** How much of the op-log is kept. */
export interface RetentionPolicy {
  /** Changes. */
  readonly rows: number;
  /** Milliseconds. */
  readonly ageMs: number;
}

/** Without `opLog` in `defineApp`. */
export const DEFAULT_RETENTION: RetentionPolicy = { rows: 100_000, ageMs: 24 * 60 * 60 * 1000 };

/** Changes younger than this are kept although there are too many, for those whose connection just broke. */
export const GRACE_MS: number = 5 * 60 * 1000;

/** At this many times `rows` grace ends. */
const GRACE_FACTOR = 4;

/** Changes that one pass forgets. */
const PASS_ROWS = 5_000;

/** What a decision needs to know of the log. */
export interface LogFacts {
  readonly head: number;
  readonly floor: number;
  /** The first position in the range whose change is younger than the time; `to + 1` when none is. */
  firstAfter(time: number, from: number, to: number): number;
}

export interface Pass {
  /** Everything before is forgotten now. */
  readonly floor: number;
  /** Whether there is more that should go at once. */
  readonly isUnfinished: boolean;
}

/**
 * What a pass forgets. Changes go when they are too old, or when there are too many and nobody who
 * was connected within the grace can need them. The newest change always stays.
 */
export function planPass(policy: RetentionPolicy, log: LogFacts, now: number): Pass {
  const { head, floor } = log;
  const byAge = log.firstAfter(now - policy.ageMs, floor, head);
  const surplus = head - policy.rows + 1;
  const byRows = surplus <= floor ? floor : Math.min(surplus, log.firstAfter(now - GRACE_MS, floor, surplus));
  const byCap = head - policy.rows * GRACE_FACTOR + 1;
  const target = Math.max(floor, Math.min(head, Math.max(byAge, byRows, byCap)));
  const next = Math.min(target, floor + PASS_ROWS);
  return { floor: next, isUnfinished: next < target };
}

/** When a group has to ask for a pass: at once only when a tenth more than enough is kept. */
export function isOverfull(policy: RetentionPolicy, length: number): boolean {
  return length > policy.rows * 1.1 && length - policy.rows > 1;
}
