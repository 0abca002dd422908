import { decodeValue, encodeValue } from "@lunora/protocol";

import type { QueryState } from "./query-state.ts";
import type { ClientStorage } from "./storage.ts";
import type { QueryView } from "./query-view.ts";
import type { WriteQueue } from "./write-queue.ts";

/** A result as it is stored. */
interface CachedResult {
  /** Wire-encoded; `undefined` as it is. */
  readonly value: unknown;
  readonly cursor: number;
  readonly epoch: string;
  readonly version: string | undefined;
  /** When it was stored, milliseconds since 1970. */
  readonly at: number;
}

/** A query that has nothing yet, with what an earlier page knew of it. */
export function restored(state: QueryState, { value, cursor, epoch, version }: Omit<CachedResult, "at">): QueryState {
  const status = state.status === "loading" ? "stale" : state.status;
  return { ...state, status, base: { data: decodeValue(value) }, cursor, epoch, version };
}

/** Results of one identity that outlive their views and the page; the one that was not used for longest makes room. */
export class QueryCache {
  readonly #prefix: string;
  readonly #writes: WriteQueue;
  readonly #maxEntries: number;
  /** Least recently used first. */
  readonly #entries = new Map<string, CachedResult>();

  constructor(identity: string, writes: WriteQueue, maxEntries: number) {
    this.#prefix = `q/${encodeURIComponent(identity)}/`;
    this.#writes = writes;
    this.#maxEntries = maxEntries;
  }

  /** Reads what earlier pages left. */
  async load(storage: ClientStorage): Promise<void> {
    const stored = (await storage.list(this.#prefix)) as [string, CachedResult][];
    const known = [...this.#entries];
    this.#entries.clear();
    for (const [key, entry] of stored.sort(([, left], [, right]) => left.at - right.at))
      this.#entries.set(key.slice(this.#prefix.length), entry);
    for (const [key, entry] of known) this.#entries.set(key, entry);
    this.#trim();
  }

  /** Gives the view its last known result, where it has none; whether it did. */
  restore(view: QueryView): boolean {
    const entry = this.#entries.get(view.key);
    if (!entry || view.state.base) return false;
    view.state = restored(view.state, entry);
    return true;
  }

  keep({ key, state: { base, cursor, epoch, version } }: QueryView, at: number): void {
    if (base === undefined || cursor === undefined || epoch === undefined) return;
    const value = base.data === undefined ? undefined : encodeValue(base.data);
    const entry: CachedResult = { value, cursor, epoch, version, at };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    this.#writes.put(this.#prefix + key, entry);
    this.#trim();
  }

  clear(): void {
    for (const key of this.#entries.keys()) this.#writes.put(this.#prefix + key, undefined);
    this.#entries.clear();
  }

  #trim(): void {
    for (const key of this.#entries.keys()) {
      if (this.#entries.size <= this.#maxEntries) return;
      this.#entries.delete(key);
      this.#writes.put(this.#prefix + key, undefined);
    }
  }
}
