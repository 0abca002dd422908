/** Bytes of a shard's storage: a tenth of what an object can hold. */
const SIZE_LIMIT = 1_000_000_000;

/** Mutations a second, sustained. */
const RATE_LIMIT = 700;

/** How long a rate has to last, milliseconds. */
const WINDOW = 10_000;

/** A warning comes again only after the value fell below this part of its limit. */
const CALM = 0.9;

/** What is worth a warning, and over which time. */
export const PRESSURE_LIMITS: { readonly size: number; readonly rate: number; readonly window: number } = {
  size: SIZE_LIMIT,
  rate: RATE_LIMIT,
  window: WINDOW,
};

/** What a shard knows of its own load. */
export interface Pressure {
  readonly windowStart: number;
  readonly count: number;
  readonly isLarge: boolean;
  readonly isHot: boolean;
}

export const NO_PRESSURE: Pressure = { windowStart: 0, count: 0, isLarge: false, isHot: false };

export type PressureWarning =
  | { readonly kind: "size"; readonly bytes: number }
  | { readonly kind: "rate"; readonly perSecond: number };

export interface PressureStep {
  readonly pressure: Pressure;
  readonly warnings: readonly PressureWarning[];
}

/** Whether a window has ended, so that the next sample needs the size. */
export function needsSize({ windowStart }: Pressure, now: number): boolean {
  return now - windowStart >= WINDOW;
}

/** Counts a group; at the end of a window says what is worth a warning, once for each crossing. */
export function sample(pressure: Pressure, mutations: number, now: number, bytes: number | undefined): PressureStep {
  const count = pressure.count + mutations;
  if (bytes === undefined) return { pressure: { ...pressure, count }, warnings: [] };
  const elapsed = now - pressure.windowStart;
  // A window that nothing closed in time says nothing about what was sustained.
  const perSecond = elapsed > 0 && elapsed < WINDOW * 2 ? (count * 1000) / elapsed : 0;
  const isLarge = bytes > SIZE_LIMIT * (pressure.isLarge ? CALM : 1);
  const isHot = perSecond > RATE_LIMIT * (pressure.isHot ? CALM : 1);
  const warnings: PressureWarning[] = [];
  if (isLarge && !pressure.isLarge) warnings.push({ kind: "size", bytes });
  if (isHot && !pressure.isHot) warnings.push({ kind: "rate", perSecond: Math.round(perSecond) });
  return { pressure: { windowStart: now, count: 0, isLarge, isHot }, warnings };
}

export function warningText(shard: string, warning: PressureWarning): string {
  return warning.kind === "size"
    ? `[lunora] shard \`${shard}\` holds ${(warning.bytes / 1e9).toFixed(2)} GB of the 10 GB that an object can hold: split its largest table with \`.shardBy(…)\` while there is room, or remove what is not needed`
    : `[lunora] shard \`${shard}\` has run ${warning.perSecond} mutations a second for ${WINDOW / 1000} s, and an object is made for about 1,000: split its busiest table with \`.shardBy(…)\``;
}
