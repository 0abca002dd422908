import { addColumn } from "./internal-table.ts";
import type { KeptOutcome, NamedOutcome, PlacedOutcome } from "./kept-outcome.ts";
import { NO_RESULT } from "./kept-outcome.ts";
import { pieces } from "./pieces.ts";
import type { SqlStorage } from "./sql.ts";
import type { ClientColumns } from "./watermark-table.ts";

/** Results that are kept for a client that does not say what it received. */
export const KEPT_RESULTS = 1_000;

/** Characters of them; the oldest are shortened to successes without a result. */
export const KEPT_LENGTH = 16_000_000;

/** Rows looked at in one pass of the sweep. */
const SWEEP_ROWS = 1_000;

/** With no more rows than this a statement each is cheaper than going through JSON. */
const SINGLE_ROWS = 2;

/** A result of a client on its way into the table. */
export type PushResultRow = readonly [identity: string, clientId: string, ...kept: KeptOutcome];

/** What is known of a client's rows without reading them. */
export interface KeptFacts {
  /** The newest position that has a row; 0 without any. */
  readonly newest: number;
  /** Characters, at most. */
  readonly length: number;
}

export function createResultTable(storage: SqlStorage): void {
  storage.exec(`CREATE TABLE IF NOT EXISTS __push_result(identity TEXT NOT NULL, client_id TEXT NOT NULL, client_seq INTEGER NOT NULL, outcome TEXT NOT NULL, ts REAL NOT NULL,
      mutation_id TEXT, function_path TEXT, PRIMARY KEY(identity, client_id, client_seq)) WITHOUT ROWID`);
  addColumn(storage, "__push_result", "mutation_id", "TEXT");
  addColumn(storage, "__push_result", "function_path", "TEXT");
  storage.exec(
    `CREATE INDEX IF NOT EXISTS __push_result_name ON __push_result(identity, client_id, mutation_id) WHERE mutation_id IS NOT NULL`,
  );
}

/** The results of pushes that are too many, or too long, for the row of their client's watermark. */
export class PushResults {
  readonly #storage: SqlStorage;
  #sweepAfter: readonly [string, string, number] = ["", "", 0];

  constructor(storage: SqlStorage) {
    this.#storage = storage;
  }

  facts(client: ClientColumns): KeptFacts {
    const [row] = this.#storage
      .exec(
        "SELECT max(client_seq) AS newest, total(length(outcome)) AS length FROM __push_result WHERE identity = ? AND client_id = ?",
        ...client,
      )
      .toArray();
    return { newest: (row?.["newest"] ?? 0) as number, length: (row?.["length"] ?? 0) as number };
  }

  /** The outcome at a position. */
  find(client: ClientColumns, clientSeq: number): PlacedOutcome | undefined {
    const [row] = this.#storage
      .exec(
        "SELECT outcome, mutation_id FROM __push_result WHERE identity = ? AND client_id = ? AND client_seq = ?",
        ...client,
        clientSeq,
      )
      .toArray();
    if (row === undefined) return undefined;
    return { mutationId: (row["mutation_id"] ?? undefined) as string | undefined, text: row["outcome"] as string };
  }

  findNamed(client: ClientColumns, mutationId: string): NamedOutcome | undefined {
    const [row] = this.#storage
      .exec(
        "SELECT outcome, function_path FROM __push_result WHERE identity = ? AND client_id = ? AND mutation_id = ?",
        ...client,
        mutationId,
      )
      .toArray();
    if (row === undefined) return undefined;
    return { functionPath: (row["function_path"] ?? "") as string, text: row["outcome"] as string };
  }

  write(rows: readonly PushResultRow[], now: number): void {
    const head = "INSERT INTO __push_result(identity, client_id, client_seq, outcome, mutation_id, function_path, ts)";
    const tail = "ON CONFLICT DO UPDATE SET outcome = excluded.outcome, ts = excluded.ts";
    if (rows.length <= SINGLE_ROWS) {
      for (const [identity, clientId, clientSeq, outcome, mutationId = null, functionPath = null] of rows)
        this.#storage.exec(
          `${head} VALUES(?, ?, ?, ?, ?, ?, ?) ${tail}`,
          identity,
          clientId,
          clientSeq,
          outcome,
          mutationId,
          functionPath,
          now,
        );
      return;
    }
    for (const part of pieces(rows)) {
      this.#storage.exec(
        `${head} SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, ?2 FROM json_each(?1) WHERE true ${tail}`,
        JSON.stringify(part),
        now,
      );
    }
  }

  forget(client: ClientColumns, upTo: number): void {
    this.#storage.exec(
      "DELETE FROM __push_result WHERE identity = ? AND client_id = ? AND client_seq <= ?",
      ...client,
      upTo,
    );
  }

  forgetAll(clients: readonly ClientColumns[]): void {
    if (clients.length === 0) return;
    this.#storage.exec(
      "DELETE FROM __push_result WHERE (identity, client_id) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))",
      JSON.stringify(clients),
    );
  }

  /** Shortens the oldest until the rest has half of what may be kept. Answers how much is left, in characters. */
  shorten(client: ClientColumns): number {
    const rows = this.#storage
      .exec(
        "SELECT client_seq, length(outcome) AS length FROM __push_result WHERE identity = ? AND client_id = ? ORDER BY client_seq DESC",
        ...client,
      )
      .toArray();
    let length = 0;
    for (const row of rows) {
      const longer = length + (row["length"] as number);
      if (longer > KEPT_LENGTH / 2) {
        this.#storage.exec(
          `UPDATE __push_result SET outcome = '${NO_RESULT}' WHERE identity = ? AND client_id = ? AND client_seq <= ?`,
          ...client,
          row["client_seq"] as number,
        );
        break;
      }
      length = longer;
    }
    return length + rows.length * NO_RESULT.length;
  }

  /** Looks at some rows and removes those that are too old. True when it has been through all of them. */
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

  get isEmpty(): boolean {
    return this.#storage.exec("SELECT 1 FROM __push_result LIMIT 1").toArray().length === 0;
  }
}
