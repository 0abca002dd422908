import type { PushResult } from "@lunora/protocol";

import { clientKey } from "./live/flush.ts";
import { pieces } from "./pieces.ts";
import type { SqlStorage } from "./sql.ts";

/** How a decided entry ended, without its position. */
export type Outcome = Omit<PushResult, "clientSeq">;

/** Whose sequence: one client of one identity. */
export interface ClientOf {
  readonly userId: string | null;
  readonly clientId: string;
}

/** Results that are kept for a client that does not say what it received. */
export const KEPT_RESULTS = 1_000;

/** Results are forgotten when there are so many to forget. */
const FORGET_STEP = 64;

/** Characters of results that stay in the watermark's own row: what a client that says what it received needs. */
const RECENT_LENGTH = 1_000;

/** Watermarks held in memory. */
const CACHE_SIZE = 10_000;

/** Rows looked at in one pass of the sweep. */
const SWEEP_ROWS = 1_000;

/** With no more rows than this a statement each is cheaper than going through JSON. */
const SINGLE_ROWS = 2;

export function createLedgerTables(storage: SqlStorage): void {
  storage.exec(`CREATE TABLE IF NOT EXISTS __client_watermark(identity TEXT NOT NULL, client_id TEXT NOT NULL, last_mutation_id INTEGER NOT NULL, recent TEXT NOT NULL,
      PRIMARY KEY(identity, client_id)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS __push_result(identity TEXT NOT NULL, client_id TEXT NOT NULL, client_seq INTEGER NOT NULL, outcome TEXT NOT NULL, ts REAL NOT NULL,
      PRIMARY KEY(identity, client_id, client_seq)) WITHOUT ROWID`);
}

function identityKey(userId: string | null): string {
  return userId === null ? "" : `user:${userId}`;
}

type KeptOutcome = readonly [clientSeq: number, outcome: string];

/** What is stored of a client. */
interface Stored {
  readonly last: number;
  /** The newest results that the client did not say to have, while they are short. */
  readonly recent: readonly KeptOutcome[];
}

interface Staged {
  readonly client: ClientOf;
  readonly before: Stored;
  last: number;
  /** As it will be stored. */
  recent: readonly KeptOutcome[];
  readonly outcomes: KeptOutcome[];
  /** Results up to here have arrived. */
  received: number;
}

/**
 * How far each client's sequence has been decided, and how the last entries ended. Decisions are
 * staged while a group runs and written, all together, in its transaction.
 */
export class ClientLedger {
  readonly #storage: SqlStorage;
  readonly #cache = new Map<string, Stored>();
  /** Up to where results of a client were removed last. */
  readonly #forgotten = new Map<string, number>();
  readonly #staged = new Map<string, Staged>();
  #sweepAfter: readonly [string, string, number] = ["", "", 0];

  constructor(storage: SqlStorage) {
    this.#storage = storage;
  }

  /** The last position decided, staged ones included; 0 when there is none. */
  watermark(client: ClientOf): number {
    const key = clientKey(client.userId, client.clientId);
    return this.#staged.get(key)?.last ?? this.#stored(key, client).last;
  }

  #stored(key: string, { userId, clientId }: ClientOf): Stored {
    const cached = this.#cache.get(key);
    if (cached !== undefined) return cached;
    const [row] = this.#storage
      .exec(
        "SELECT last_mutation_id, recent FROM __client_watermark WHERE identity = ? AND client_id = ?",
        identityKey(userId),
        clientId,
      )
      .toArray();
    const stored: Stored =
      row === undefined
        ? { last: 0, recent: [] }
        : {
            last: row["last_mutation_id"] as number,
            recent: JSON.parse(row["recent"] as string) as KeptOutcome[],
          };
    this.#remember(key, stored);
    return stored;
  }

  #remember(key: string, stored: Stored): void {
    if (this.#cache.size >= CACHE_SIZE) {
      this.#cache.clear();
      this.#forgotten.clear();
    }
    this.#cache.set(key, stored);
  }

  #stage(client: ClientOf): Staged {
    const key = clientKey(client.userId, client.clientId);
    let staged = this.#staged.get(key);
    if (staged === undefined) {
      const before = this.#stored(key, client);
      staged = { client, before, last: before.last, recent: before.recent, outcomes: [], received: 0 };
      this.#staged.set(key, staged);
    }
    return staged;
  }

  /** The entry at `watermark + 1` has ended. */
  decide(client: ClientOf, clientSeq: number, outcome: Outcome): void {
    const staged = this.#stage(client);
    staged.last = clientSeq;
    // What is not kept counts as a success without a result, which is what this one is.
    if (outcome.result !== undefined || outcome.error !== undefined)
      staged.outcomes.push([clientSeq, JSON.stringify(outcome)]);
  }

  /** The client has these results. */
  receive(client: ClientOf, received: number): void {
    const staged = this.#stage(client);
    staged.received = Math.max(staged.received, Math.min(received, staged.last));
  }

  /** How a decided entry ended; empty when that is not kept any more. */
  outcome(client: ClientOf, clientSeq: number): Outcome {
    const staged = this.#staged.get(clientKey(client.userId, client.clientId));
    const recent = staged?.before.recent ?? this.#stored(clientKey(client.userId, client.clientId), client).recent;
    const text =
      staged?.outcomes.find(([position]) => position === clientSeq)?.[1] ??
      recent.find(([position]) => position === clientSeq)?.[1] ??
      this.#storage
        .exec(
          "SELECT outcome FROM __push_result WHERE identity = ? AND client_id = ? AND client_seq = ?",
          identityKey(client.userId),
          client.clientId,
          clientSeq,
        )
        .toArray()[0]?.["outcome"];
    return text === undefined ? {} : (JSON.parse(text as string) as Outcome);
  }

  get hasStaged(): boolean {
    return this.#staged.size > 0;
  }

  /** Writes what was staged, as part of the group's transaction. */
  write(now: number): void {
    const watermarks: [string, string, number, string][] = [];
    const results: [string, string, number, string][] = [];
    for (const [key, staged] of this.#staged) {
      const { client, before, last, outcomes, received } = staged;
      if (last === before.last) continue;
      const identity = identityKey(client.userId);
      const kept = [...before.recent, ...outcomes].filter(([clientSeq]) => clientSeq > received);
      const text = JSON.stringify(kept);
      const isShort = text.length <= RECENT_LENGTH;
      staged.recent = isShort ? kept : [];
      if (!isShort) for (const outcome of kept) results.push([identity, client.clientId, ...outcome]);
      watermarks.push([identity, client.clientId, last, isShort ? text : "[]"]);
      this.#forget(key, client, Math.max(received, last - KEPT_RESULTS));
    }
    this.#writeWatermarks(watermarks);
    this.#writeResults(results, now);
  }

  #writeWatermarks(rows: readonly [string, string, number, string][]): void {
    const head = "INSERT INTO __client_watermark(identity, client_id, last_mutation_id, recent)";
    // Whatever happens, a watermark never falls.
    const tail =
      "ON CONFLICT DO UPDATE SET last_mutation_id = max(last_mutation_id, excluded.last_mutation_id), recent = excluded.recent";
    if (rows.length <= SINGLE_ROWS) {
      for (const row of rows) this.#storage.exec(`${head} VALUES(?, ?, ?, ?) ${tail}`, ...row);
    } else {
      for (const part of pieces(rows)) {
        this.#storage.exec(
          `${head} SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?) WHERE true ${tail}`,
          JSON.stringify(part),
        );
      }
    }
  }

  #writeResults(rows: readonly [string, string, number, string][], now: number): void {
    const head = "INSERT INTO __push_result(identity, client_id, client_seq, outcome, ts)";
    const tail = "ON CONFLICT DO UPDATE SET outcome = excluded.outcome, ts = excluded.ts";
    if (rows.length <= SINGLE_ROWS) {
      for (const row of rows) this.#storage.exec(`${head} VALUES(?, ?, ?, ?, ?) ${tail}`, ...row, now);
    } else {
      for (const part of pieces(rows)) {
        this.#storage.exec(
          `${head} SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, ?2 FROM json_each(?1) WHERE true ${tail}`,
          JSON.stringify(part),
          now,
        );
      }
    }
  }

  #forget(key: string, { userId, clientId }: ClientOf, upTo: number): void {
    if (upTo < (this.#forgotten.get(key) ?? 0) + FORGET_STEP) return;
    this.#storage.exec(
      "DELETE FROM __push_result WHERE identity = ? AND client_id = ? AND client_seq <= ?",
      identityKey(userId),
      clientId,
      upTo,
    );
    this.#forgotten.set(key, upTo);
  }

  /** The transaction has committed: the new watermark of every client that was decided about, by `clientKey`. */
  settle(): Map<string, number> {
    const moved = new Map<string, number>();
    for (const [key, { before, last, recent }] of this.#staged) {
      if (before.last === last) continue;
      this.#remember(key, { last, recent });
      moved.set(key, last);
    }
    this.#staged.clear();
    return moved;
  }

  /** The transaction is gone. */
  discard(): void {
    for (const key of this.#staged.keys()) {
      this.#cache.delete(key);
      this.#forgotten.delete(key);
    }
    this.#staged.clear();
  }

  /** Looks at some results and removes those that are too old. True when it has been through all of them. */
  sweep(oldest: number): boolean {
    const rows = this.#storage
      .exec(
        `SELECT identity, client_id, client_seq, ts FROM __push_result WHERE (identity, client_id, client_seq) > (?, ?, ?) ORDER BY identity, client_id, client_seq LIMIT ${SWEEP_ROWS}`,
        ...this.#sweepAfter,
      )
      .toArray();
    const old = rows
      .filter((row) => (row["ts"] as number) <= oldest)
      .map((row) => [row["identity"], row["client_id"], row["client_seq"]]);
    if (old.length > 0) {
      this.#storage.exec(
        "DELETE FROM __push_result WHERE (identity, client_id, client_seq) IN (SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?))",
        JSON.stringify(old),
      );
    }
    const last = rows.length < SWEEP_ROWS ? undefined : rows.at(-1);
    this.#sweepAfter =
      last === undefined
        ? ["", "", 0]
        : [last["identity"] as string, last["client_id"] as string, last["client_seq"] as number];
    return last === undefined;
  }

  /** Whether any results are kept. */
  get hasResults(): boolean {
    return this.#storage.exec("SELECT 1 FROM __push_result LIMIT 1").toArray().length > 0;
  }
}
