import type { Change } from "../commit.ts";
import type { Connection } from "./connection.ts";

/** Everything that one commit of the shard changed: one mutation, or several that shared a flush. */
export interface Flush {
  readonly epoch: string;
  /** The newest position before. */
  readonly fromSeq: number;
  /** The newest position now. Equal to `fromSeq` when nothing was written. */
  readonly toSeq: number;
  /** In order of commit, changes of rolled-back mutations left out. */
  readonly changes: readonly Change[];
  /** Names of global tables that have changed, elsewhere; not all of that is in `changes`. */
  readonly polled?: ReadonlySet<string> | undefined;
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

/** Where the sequence of the connection's client is now, when the flush moved it. */
export function clientPosition(
  { clientId, identity }: Pick<Connection, "clientId" | "identity">,
  clients: Flush["clients"],
): number | undefined {
  if (clients.size === 0 || clientId === undefined) return undefined;
  return clients.get(clientKey(identity?.userId ?? null, clientId));
}
