import type { SqlStorage } from "../sql.ts";
import type { Direction, Position } from "./migration-position.ts";
import { END, START } from "./migration-position.ts";

/** The row that stopped a migration, and why. */
export interface MigrationFailure {
  readonly code: string;
  readonly message: string;
  /** Of the row. */
  readonly id: string;
  /** Of the row, epoch milliseconds. */
  readonly creationTime: number;
}

/** How far a migration has come in a shard. */
export interface MigrationState {
  readonly position: Position;
  /** Which way it went last. */
  readonly direction: Direction;
  /** Rows it was shown on that way. */
  readonly rows: number;
  /** Rows it changed on that way. */
  readonly changed: number;
  /** Why it stopped where it is; absent while nothing is in its way. */
  readonly failure?: MigrationFailure | undefined;
}

/** A migration that never ran here. */
export const UNTOUCHED: MigrationState = { position: START, direction: "up", rows: 0, changed: 0 };

/** Where a shard remembers what has run in it. A row is written by the transaction that it tells of. */
export class MigrationStates {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS __lunora_migrations(id TEXT PRIMARY KEY NOT NULL, place TEXT NOT NULL, row_time REAL, row_id TEXT,
      direction TEXT NOT NULL, rows INTEGER NOT NULL, changed INTEGER NOT NULL, failure TEXT, updated REAL NOT NULL) WITHOUT ROWID`);
  }

  read(id: string): MigrationState {
    const [row] = this.#sql
      .exec(
        "SELECT place, row_time, row_id, direction, rows, changed, failure FROM __lunora_migrations WHERE id = ?",
        id,
      )
      .toArray();
    if (row === undefined) return UNTOUCHED;
    const failure = row["failure"] as string | null;
    return {
      position: toPosition(row["place"] as Position["place"], row["row_time"] as number, row["row_id"] as string),
      direction: row["direction"] as Direction,
      rows: row["rows"] as number,
      changed: row["changed"] as number,
      ...(failure === null ? {} : { failure: JSON.parse(failure) as MigrationFailure }),
    };
  }

  write(id: string, { position, direction, rows, changed, failure }: MigrationState, now: number): void {
    const isAtRow = position.place === "before" || position.place === "after";
    this.#sql.exec(
      `INSERT INTO __lunora_migrations(id, place, row_time, row_id, direction, rows, changed, failure, updated)
        VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(id) DO UPDATE SET place = excluded.place, row_time = excluded.row_time,
        row_id = excluded.row_id, direction = excluded.direction, rows = excluded.rows, changed = excluded.changed,
        failure = excluded.failure, updated = excluded.updated`,
      id,
      position.place,
      isAtRow ? position.creationTime : null,
      isAtRow ? position.id : null,
      direction,
      rows,
      changed,
      failure === undefined ? null : JSON.stringify(failure),
      now,
    );
  }
}

function toPosition(place: Position["place"], creationTime: number, id: string): Position {
  if (place === "start") return START;
  return place === "end" ? END : { place, creationTime, id };
}
