import type { Change } from "../commit.ts";

/** Everything that one commit of the shard changed: one mutation, or several that shared a flush. */
export interface Flush {
  readonly epoch: string;
  /** The newest position before. */
  readonly fromSeq: number;
  /** The newest position now. Equal to `fromSeq` when nothing was written. */
  readonly toSeq: number;
  /** In order of commit, changes of rolled-back mutations left out. */
  readonly changes: readonly Change[];
  /** The new `lastMutationId` of each client that pushed, by {@link clientKey}. */
  readonly clients: ReadonlyMap<string, number>;
}

/**
 * Whose sequence: equal client ids of different identities are different clients. The length keeps
 * apart what the two could share, whatever characters are in them.
 */
export function clientKey(userId: string | null, clientId: string): string {
  return `${userId === null ? "" : `${userId.length}:${userId}`}\u0000${clientId}`;
}
