/** A batch is meant to take between these, milliseconds: readers and writers of the shard wait for it. */
const SHORT = 20;
const LONG = 80;

/** Rows of the first batch, before anything was measured. */
const FIRST = 50;

/** Most rows of a batch, where the migration says nothing. */
export const BATCH_ROWS = 200;

/** Most rows of any batch. */
export const MOST_ROWS = 1_000;

/** Documents of a batch, bytes; a single row may be longer. */
export const BATCH_BYTES = 4_000_000;

/** Rows of the first batch. */
export function firstBatch(most: number): number {
  return Math.min(FIRST, most);
}

/** Rows of the next batch after one of `rows` that took `milliseconds`. */
export function nextBatch(rows: number, milliseconds: number, most: number): number {
  if (milliseconds > LONG) return Math.max(1, Math.floor(rows / 2));
  return milliseconds < SHORT ? Math.min(most, rows * 2) : Math.min(most, rows);
}
