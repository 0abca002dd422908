import { ForgottenEntries, createForgottenTable } from "./forgotten-entries.ts";
import { findNamed, keptOf, NO_RESULT } from "./kept-outcome.ts";
import type { EntryName, KeptOutcome, NamedOutcome, Outcome, PlacedOutcome } from "./kept-outcome.ts";
import { clientKey } from "./live/flush.ts";
import { createResultTable, KEPT_LENGTH, KEPT_RESULTS, PushResults } from "./push-results.ts";
import type { KeptFacts, PushResultRow } from "./push-results.ts";
import type { SqlStorage } from "./sql.ts";
import { createWatermarkTable, WatermarkTable } from "./watermark-table.ts";
import type { ClientColumns, ClientRow, WatermarkRow } from "./watermark-table.ts";

/** Whose sequence: one client of one identity. */
export interface ClientOf {
  readonly userId: string | null;
  readonly clientId: string;
}

/** Results are forgotten when there are so many to forget. */
const FORGET_STEP = 64;

/** Characters of results that stay in the watermark's own row: what a client that says what it received needs. */
const RECENT_LENGTH = 1_000;

/** Watermarks held in memory. */
const CACHE_SIZE = 10_000;

const NO_ROWS: KeptFacts = { newest: 0, length: 0 };

export function createLedgerTables(storage: SqlStorage): void {
  createWatermarkTable(storage);
  createResultTable(storage);
  createForgottenTable(storage);
}

function columnsOf({ userId, clientId }: ClientOf): ClientColumns {
  return [userId === null ? "" : `user:${userId}`, clientId];
}

/** What {@link columnsOf} was made from. */
function clientOf([identity, clientId]: ClientColumns): ClientOf {
  return { userId: identity === "" ? null : identity.slice("user:".length), clientId };
}

/** What is stored of a client. */
interface Stored extends ClientRow {
  /** Results that have rows of their own. */
  readonly rows: KeptFacts;
}

interface Staged {
  readonly client: ClientOf;
  readonly before: Stored;
  last: number;
  readonly outcomes: KeptOutcome[];
  received: number;
  /** As it is stored, once it is. */
  after?: Stored;
}

/**
 * How far each client's sequence has been decided, and how the last entries ended. Decisions are
 * staged while a group runs and written, all together, in its transaction.
 */
export class ClientLedger {
  readonly #watermarks: WatermarkTable;
  readonly #results: PushResults;
  readonly #forgotten: ForgottenEntries;
  readonly #cache = new Map<string, Stored>();
  /** Up to where results of a client were removed last. */
  readonly #removed = new Map<string, number>();
  readonly #staged = new Map<string, Staged>();

  constructor(storage: SqlStorage) {
    this.#watermarks = new WatermarkTable(storage);
    this.#results = new PushResults(storage);
    this.#forgotten = new ForgottenEntries(storage);
  }

  /** The last position decided, staged ones included; 0 when there is none. */
  watermark(client: ClientOf): number {
    const key = clientKey(client.userId, client.clientId);
    return this.#staged.get(key)?.last ?? this.#stored(key, client).last;
  }

  #stored(key: string, client: ClientOf): Stored {
    const cached = this.#cache.get(key);
    if (cached !== undefined) return cached;
    const columns = columnsOf(client);
    const row = this.#watermarks.read(columns);
    const stored: Stored =
      row === undefined
        ? { last: 0, recent: [], received: 0, rows: NO_ROWS }
        : { ...row, rows: this.#results.facts(columns) };
    this.#remember(key, stored);
    return stored;
  }

  #remember(key: string, stored: Stored): void {
    if (this.#cache.size >= CACHE_SIZE) {
      this.#cache.clear();
      this.#removed.clear();
    }
    this.#cache.set(key, stored);
  }

  #stage(client: ClientOf): Staged {
    const key = clientKey(client.userId, client.clientId);
    let staged = this.#staged.get(key);
    if (staged === undefined) {
      const before = this.#stored(key, client);
      staged = { client, before, last: before.last, outcomes: [], received: before.received };
      this.#staged.set(key, staged);
    }
    return staged;
  }

  /** The entry at `watermark + 1` has ended. */
  decide(client: ClientOf, clientSeq: number, outcome: Outcome, name?: EntryName): void {
    const staged = this.#stage(client);
    staged.last = clientSeq;
    const kept = keptOf(clientSeq, outcome, name);
    if (kept !== undefined) staged.outcomes.push(kept);
  }

  /** The client has these results. */
  receive(client: ClientOf, received: number): void {
    const staged = this.#stage(client);
    staged.received = Math.max(staged.received, Math.min(received, staged.last));
  }

  /** How the entry ended that was decided at the position. */
  outcome(client: ClientOf, clientSeq: number): PlacedOutcome {
    const key = clientKey(client.userId, client.clientId);
    const staged = this.#staged.get(key);
    const { recent, rows } = staged?.before ?? this.#stored(key, client);
    const isIt = ([position]: KeptOutcome): boolean => position === clientSeq;
    const found = staged?.outcomes.find(isIt) ?? recent.find(isIt);
    if (found !== undefined) return { mutationId: found[2], text: found[1] };
    const stored = clientSeq > rows.newest ? undefined : this.#results.find(columnsOf(client), clientSeq);
    return stored ?? { mutationId: undefined, text: NO_RESULT };
  }

  /** The client's entry with the mutation id, when it has been decided and the client was not known to have its result. */
  named(client: ClientOf, mutationId: string): NamedOutcome | undefined {
    const key = clientKey(client.userId, client.clientId);
    const staged = this.#staged.get(key);
    const { recent, rows, received } = staged?.before ?? this.#stored(key, client);
    const found = findNamed(staged?.outcomes ?? [], mutationId) ?? findNamed(recent, mutationId);
    if (found !== undefined) return found;
    if (rows.newest > received) return this.#results.findNamed(columnsOf(client), mutationId);
    return undefined;
  }

  /** Whether the client, or who it was before it was forgotten, had the entry decided. */
  isForgotten(client: ClientOf, mutationId: string): boolean {
    return this.#forgotten.has(clientKey(client.userId, client.clientId), mutationId);
  }

  get hasStaged(): boolean {
    return this.#staged.size > 0;
  }

  /** Writes what was staged, as part of the group's transaction. */
  write(now: number): void {
    const watermarks: WatermarkRow[] = [];
    const results: PushResultRow[] = [];
    const overfull: [Staged, ClientColumns][] = [];
    for (const [key, staged] of this.#staged) {
      const { client, before, last, outcomes, received } = staged;
      if (last === before.last) continue;
      const columns = columnsOf(client);
      const kept = [...before.recent, ...outcomes].filter(([clientSeq]) => clientSeq > received);
      const text = JSON.stringify(kept);
      const isShort = text.length <= RECENT_LENGTH;
      // Without any of its results in rows of their own, and with the names of all: see `forgetClients`.
      const isForgettable = isShort && kept.length === last - received && kept.every(([, , id]) => id !== undefined);
      watermarks.push([...columns, last, isShort ? text : "[]", received, isForgettable ? 1 : 0]);
      let { rows } = before;
      if (!isShort) {
        for (const outcome of kept) results.push([...columns, ...outcome]);
        rows = { newest: last, length: rows.length + text.length };
        if (rows.length > KEPT_LENGTH) overfull.push([staged, columns]);
      }
      const upTo = Math.max(received, last - KEPT_RESULTS);
      if (upTo >= (this.#removed.get(key) ?? 0) + FORGET_STEP) {
        this.#results.forget(columns, upTo);
        this.#removed.set(key, upTo);
        if (upTo >= rows.newest) rows = NO_ROWS;
      }
      staged.after = { last, recent: isShort ? kept : [], received, rows };
    }
    this.#watermarks.write(watermarks, now);
    this.#results.write(results, now);
    for (const [staged, columns] of overfull) {
      const { after } = staged;
      if (after !== undefined)
        staged.after = { ...after, rows: { ...after.rows, length: this.#results.shorten(columns) } };
    }
  }

  /** The transaction has committed: the new watermark of every client that was decided about, by `clientKey`. */
  settle(): Map<string, number> {
    const moved = new Map<string, number>();
    for (const [key, { after }] of this.#staged) {
      if (after === undefined) continue;
      this.#remember(key, after);
      moved.set(key, after.last);
    }
    this.#staged.clear();
    return moved;
  }

  /** The transaction is gone. */
  discard(): void {
    for (const key of this.#staged.keys()) {
      this.#cache.delete(key);
      this.#removed.delete(key);
    }
    this.#staged.clear();
  }

  /** Looks at some results and removes those that are too old. True when it has been through all of them. */
  sweep(oldest: number): boolean {
    return this.#results.sweep(oldest);
  }

  /** Whether any results have rows of their own. */
  get hasResults(): boolean {
    return !this.#results.isEmpty;
  }

  /** Whether any client is known. */
  get hasClients(): boolean {
    return !this.#watermarks.isEmpty;
  }

  /**
   * Looks at some clients and forgets those that pushed nothing since. A client comes back with the numbers
   * of a new one, so the names of its entries that succeeded, and whose results it may not have, are kept;
   * where they are not all known it stays. Answers when the oldest of those that can be forgotten was seen
   * once it has been through all of them (`Infinity` without any), `undefined` before.
   */
  forgetClients(unseenSince: number): number | undefined {
    const { gone, oldestSeen } = this.#watermarks.forget(unseenSince);
    const names: [client: string, mutationId: string][] = [];
    for (const { columns, recent } of gone) {
      const { userId, clientId } = clientOf(columns);
      const key = clientKey(userId, clientId);
      this.#cache.delete(key);
      this.#removed.delete(key);
      for (const [, outcome, mutationId] of recent)
        if (mutationId !== undefined && (JSON.parse(outcome) as Outcome).error === undefined)
          names.push([key, mutationId]);
    }
    this.#forgotten.add(names);
    this.#results.forgetAll(gone.map(({ columns }) => columns));
    return oldestSeen;
  }
}
