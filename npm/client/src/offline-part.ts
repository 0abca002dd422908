import type { ClientEnvironment } from "./environment.ts";
import type { OutboxEntry, OutboxState } from "./outbox.ts";
import type { QueryView } from "./query-view.ts";

/** What one client tells one shard under one identity: an outbox and whose it is. */
export interface Box {
  readonly clientId: string;
  readonly shard: string;
  /** `undefined` while the token's provider has not said who it is; such a box is kept in memory alone. */
  readonly identity: string | undefined;
  state: OutboxState;
}

/** What the part of a client that outlives the page asks of it. */
export interface OfflineHost {
  /** Names the database and the locks. */
  readonly url: string;
  readonly clientId: string;
  readonly environment: ClientEnvironment;
  /** Takes what a page left that is gone. */
  adopt(boxes: readonly Box[]): void;
  /** Results of earlier pages can be had. */
  restore(): void;
}

/** What outlives the page: the outbox and results of queries. */
export interface Offline {
  /** Whether something is in memory that the storage could not take. */
  readonly hasFailed: boolean;
  /** Looks for what earlier pages of this identity left. `ready` is called once: until then nothing is sent. */
  signIn(identity: string, ready: () => void): void;
  /** Forgets the results of the one who leaves; what it wrote is kept. */
  signOut(): void;
  /** Keeps these, in place of those with the same `order`; not those of who is not known. */
  store(box: Box, entries: readonly OutboxEntry[]): void;
  remove(box: Box, entry: OutboxEntry): void;
  /** Resolves when everything until now is in storage, or has failed and been told. */
  settled(): Promise<unknown>;
  /** Lets other pages have what this client id has stored. */
  release(clientId: string): void;
  /** Gives a query that has no result the last known one; whether it did. Leaves other views as they are. */
  restore(view: QueryView): boolean;
  /** Notes a result, at once when its view is about to go. */
  keep(view: QueryView, isLast: boolean): void;
  close(): void;
}

/** Makes a client's mutations and results outlive the page: `offline()` of `@lunora/client/offline`. */
export type OfflinePart = (host: OfflineHost) => Offline;
