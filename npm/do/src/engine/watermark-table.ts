import { addColumn } from "./internal-table.ts";
import type { KeptOutcome } from "./kept-outcome.ts";
import { pieces } from "./pieces.ts";
import type { SqlStorage } from "./sql.ts";

/** A client as it is stored: its identity's key, and its id. */
export type ClientColumns = readonly [identity: string, clientId: string];

/** What the row of a client says. */
export interface ClientRow {
  /** The last position decided. */
  readonly last: number;
  /** The newest results that the client did not say to have, while they are short. */
  readonly recent: readonly KeptOutcome[];
  /** The client has said to have the results up to here. */
  readonly received: number;
}

/** A row to write. `recent` is JSON; `forgettable` is 1 when `recent` names every entry behind `received`. */
export type WatermarkRow = readonly [
  ...ClientColumns,
  last: number,
  recent: string,
  received: number,
  forgettable: number,
];

/** With no more rows than this a statement each is cheaper than going through JSON. */
const SINGLE_ROWS = 2;

/** Clients looked at in one pass. */
const FORGET_ROWS = 1_000;

export function createWatermarkTable(storage: SqlStorage): void {
  storage.exec(`CREATE TABLE IF NOT EXISTS __client_watermark(identity TEXT NOT NULL, client_id TEXT NOT NULL, last_mutation_id INTEGER NOT NULL, recent TEXT NOT NULL,
      received INTEGER NOT NULL DEFAULT 0, forgettable INTEGER NOT NULL DEFAULT 0, seen REAL NOT NULL DEFAULT 0, PRIMARY KEY(identity, client_id)) WITHOUT ROWID`);
  addColumn(storage, "__client_watermark", "received", "INTEGER NOT NULL DEFAULT 0");
  addColumn(storage, "__client_watermark", "forgettable", "INTEGER NOT NULL DEFAULT 0");
  addColumn(storage, "__client_watermark", "seen", "REAL NOT NULL DEFAULT 0");
}

/** The clients of a shard and how far they are. */
export class WatermarkTable {
  readonly #storage: SqlStorage;
  #forgetAfter: ClientColumns = ["", ""];
  #oldestSeen = Infinity;

  constructor(storage: SqlStorage) {
    this.#storage = storage;
  }

  read(client: ClientColumns): ClientRow | undefined {
    const [row] = this.#storage
      .exec(
        "SELECT last_mutation_id, recent, received FROM __client_watermark WHERE identity = ? AND client_id = ?",
        ...client,
      )
      .toArray();
    if (row === undefined) return undefined;
    return {
      last: row["last_mutation_id"] as number,
      recent: JSON.parse(row["recent"] as string) as KeptOutcome[],
      received: row["received"] as number,
    };
  }

  write(rows: readonly WatermarkRow[], now: number): void {
    const head =
      "INSERT INTO __client_watermark(identity, client_id, last_mutation_id, recent, received, forgettable, seen)";
    // Whatever happens, a watermark never falls.
    const tail =
      "ON CONFLICT DO UPDATE SET last_mutation_id = max(last_mutation_id, excluded.last_mutation_id), recent = excluded.recent, received = excluded.received, forgettable = excluded.forgettable, seen = excluded.seen";
    if (rows.length <= SINGLE_ROWS) {
      for (const row of rows) this.#storage.exec(`${head} VALUES(?, ?, ?, ?, ?, ?, ?) ${tail}`, ...row, now);
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

  get isEmpty(): boolean {
    return this.#storage.exec("SELECT 1 FROM __client_watermark LIMIT 1").toArray().length === 0;
  }

  /**
   * Looks at some clients and removes those that pushed nothing since and can be forgotten. Answers them, and
   * once it has been through all clients when the oldest that can be forgotten was seen (`Infinity` without any).
   */
  forget(unseenSince: number): {
    readonly gone: readonly { readonly columns: ClientColumns; readonly recent: readonly KeptOutcome[] }[];
    readonly oldestSeen: number | undefined;
  } {
    const rows = this.#storage
      .exec(
        `SELECT identity, client_id, recent, seen, forgettable FROM __client_watermark WHERE (identity, client_id) > (?, ?) ORDER BY identity, client_id LIMIT ${FORGET_ROWS}`,
        ...this.#forgetAfter,
      )
      .toArray();
    const gone: { readonly columns: ClientColumns; readonly recent: readonly KeptOutcome[] }[] = [];
    for (const row of rows) {
      const columns: ClientColumns = [row["identity"] as string, row["client_id"] as string];
      this.#forgetAfter = columns;
      const seen = row["seen"] as number;
      if (row["forgettable"] === 0) continue;
      if (seen <= unseenSince) gone.push({ columns, recent: JSON.parse(row["recent"] as string) as KeptOutcome[] });
      else this.#oldestSeen = Math.min(this.#oldestSeen, seen);
    }
    if (gone.length > 0) {
      this.#storage.exec(
        "DELETE FROM __client_watermark WHERE (identity, client_id) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))",
        JSON.stringify(gone.map(({ columns }) => columns)),
      );
    }
    if (rows.length === FORGET_ROWS) return { gone, oldestSeen: undefined };
    const oldestSeen = this.#oldestSeen;
    this.#forgetAfter = ["", ""];
    this.#oldestSeen = Infinity;
    return { gone, oldestSeen };
  }
}
