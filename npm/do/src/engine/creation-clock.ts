import type { SqlStorage } from "./sql.ts";
import type { Table } from "./table.ts";

/** Milliseconds. A double has it exactly beside the times of our epoch. */
const CREATION_STEP = 1 / 1024;

/** Gives out the times at which rows were created: no two of a shard have the same. */
export class CreationClock {
  #last: number;

  /** `tables`: where rows are, the newest of which it goes on from. */
  constructor(storage: SqlStorage, tables: readonly Table[]) {
    const newest = tables.map(
      ({ quoted }) => storage.exec(`SELECT max(_creationTime) AS time FROM ${quoted}`).toArray()[0]?.["time"] as number,
    );
    this.#last = Math.max(0, ...newest);
  }

  /** Epoch milliseconds, later than all before; `now` where that is. */
  next(now: number): number {
    this.#last = Math.max(now, this.#last + CREATION_STEP);
    return this.#last;
  }
}
