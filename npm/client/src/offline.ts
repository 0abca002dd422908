import type { ClientEnvironment } from "./environment.ts";
import { indexedDbStorage } from "./indexed-db.ts";
import { entryKey, Lanes, storedEntry } from "./lanes.ts";
import type { Box, Offline, OfflineHost, OfflinePart } from "./offline-part.ts";
import type { OutboxEntry } from "./outbox.ts";
import { QueryCache } from "./query-cache.ts";
import type { QueryView } from "./query-view.ts";
import { memoryStorage } from "./storage.ts";
import type { ClientStorage } from "./storage.ts";
import { WriteQueue } from "./write-queue.ts";

/** Results are stored when they have rested for so long. */
const KEEP_DELAY_MS = 500;
/** What storage and locks may take before writes go out without them. */
const START_TIMEOUT_MS = 3_000;

/** Options of {@link offline}. */
export interface OfflineOptions {
  /** By default IndexedDB, or memory where there is none. */
  readonly storage?: ClientStorage;
  /** Most results of queries that are kept. 100. */
  readonly maxResults?: number;
  /** Told when the storage fails; the client goes on from memory. Reported as an uncaught error by default. */
  readonly onError?: (error: unknown) => void;
}

/** Mutations that wait and results of queries outlive the page: `new LunoraClient({ url, offline: offline() })`. */
export function offline(options: OfflineOptions = {}): OfflinePart {
  return (host) => new StoredOffline(host, options);
}

class StoredOffline implements Offline {
  readonly #host: OfflineHost;
  readonly #environment: ClientEnvironment;
  readonly #storage: ClientStorage;
  readonly #maxResults: number;
  readonly #onError: (error: unknown) => void;
  readonly #lanes: Lanes;
  readonly #writes: WriteQueue;
  /** This page holds its own lock. */
  readonly #start: Promise<void>;
  #identity: string | undefined;
  #cache: QueryCache | undefined;
  #toKeep = new Set<QueryView>();

  constructor(host: OfflineHost, { storage, maxResults = 100, onError = host.environment.report }: OfflineOptions) {
    const { url, clientId, environment } = host;
    const name = `lunora:${url}`;
    this.#host = host;
    this.#environment = environment;
    this.#storage = storage ?? (typeof indexedDB === "object" ? indexedDbStorage(name) : memoryStorage());
    this.#maxResults = maxResults;
    this.#onError = onError;
    this.#lanes = new Lanes({
      name,
      clientId,
      environment,
      storage: this.#storage,
      identity: () => this.#identity,
      adopt: (boxes) => host.adopt(boxes),
      onError,
    });
    this.#start = this.#lanes.start().catch(onError);
    this.#writes = new WriteQueue(this.#storage, this.#start, onError);
  }

  get hasFailed(): boolean {
    return this.#writes.hasFailed;
  }

  signIn(identity: string, ready: () => void): void {
    this.#identity = identity;
    const cache = new QueryCache(identity, this.#writes, this.#maxResults);
    this.#cache = cache;
    cache.load(this.#storage).then(() => {
      if (this.#cache === cache) this.#host.restore();
    }, this.#onError);
    const endTimer = this.#environment.setTimer(START_TIMEOUT_MS, ready);
    void this.#start
      .then(() => this.#lanes.scan())
      .catch(this.#onError)
      .finally(() => {
        endTimer();
        ready();
      });
  }

  signOut(): void {
    this.#identity = undefined;
    this.#cache?.clear();
    this.#cache = undefined;
    this.#toKeep.clear();
  }

  store(box: Box, entries: readonly OutboxEntry[]): void {
    if (box.identity === undefined) return;
    for (const entry of entries) this.#writes.put(entryKey(box.clientId, entry.order), storedEntry(box, entry));
  }

  remove({ clientId }: Box, { order }: OutboxEntry): void {
    this.#writes.put(entryKey(clientId, order), undefined);
  }

  settled(): Promise<unknown> {
    return this.#writes.settled();
  }

  /** The lock goes when storage says what is so: until then nobody may look for entries there. */
  release(clientId: string): void {
    void this.#writes.settled().then((isGone) => isGone && this.#lanes.release(clientId));
  }

  restore(view: QueryView): boolean {
    return this.#cache?.restore(view) ?? false;
  }

  keep(view: QueryView, isLast: boolean): void {
    if (isLast) {
      if (this.#toKeep.delete(view)) this.#cache?.keep(view, this.#environment.now());
      return;
    }
    if (this.#toKeep.size === 0) {
      this.#environment.setTimer(KEEP_DELAY_MS, () => {
        for (const kept of this.#toKeep) this.#cache?.keep(kept, this.#environment.now());
        this.#toKeep = new Set();
      });
    }
    this.#toKeep.add(view);
  }

  close(): void {
    this.#lanes.close();
  }
}

export { indexedDbStorage } from "./indexed-db.ts";
export type { OfflinePart } from "./offline-part.ts";
export { memoryStorage } from "./storage.ts";
export type { ClientStorage, StorageChange } from "./storage.ts";
