import type { BoundedCount } from "./bounded-count.ts";

/** A table as it is stored. */
export interface TableFacts extends BoundedCount {
  readonly name: string;
  /** One of the store's own. */
  readonly isInternal: boolean;
}

/** What a shard is and holds. Times are epoch milliseconds. */
export interface ShardFacts {
  readonly name: string;
  readonly objectId: string;
  readonly bytes: number;
  readonly tables: readonly TableFacts[];
  readonly log: {
    readonly epoch: string;
    readonly floor: number;
    readonly head: number;
    readonly rows: number;
    /** About, by the newest changes. */
    readonly bytes: number;
  };
  readonly sockets: number;
  readonly subscriptions: number;
  /** `null` before the first write. */
  readonly lastWriteAt: number | null;
  readonly mutationsPerSecond: number;
  /** `size`: beyond a tenth of what an object holds. `rate`: more mutations a second than an object is made for. */
  readonly warnings: readonly ("size" | "rate")[];
}
