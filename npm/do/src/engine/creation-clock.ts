import type { SqlStorage } from "./sql.ts";
import type { Table } from "./table.ts";

/** Milliseconds. A double has it exactly beside the times of our epoch. */
const CREATION_STEP = 1 / 1024;

/**
 * Gives out the times at which rows were created, epoch milliseconds: no two of a shard have the same, and each is `now` or
 * later. `tables`: where rows are, the newest of which it goes on from.
 */
export function creationClock(storage: SqlStorage, tables: readonly Table[]): (now: number) => number {
  const newest = tables.map(
    ({ quoted }) => storage.exec(`SELECT max(_creationTime) AS time FROM ${quoted}`).toArray()[0]?.["time"] as number,
  );
  let last = Math.max(0, ...newest);
  return (now) => (last = Math.max(now, last + CREATION_STEP));
}
