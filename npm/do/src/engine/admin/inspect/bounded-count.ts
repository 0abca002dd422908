import type { SqlStorage } from "../../sql.ts";

/** Rows that are counted at most: SQLite goes through all that it counts. */
export const COUNTED_ROWS = 100_000;

/** How many rows there are; `isAtLeast` when there are more than were counted. */
export interface BoundedCount {
  readonly rows: number;
  readonly isAtLeast?: true;
}

/** Counts the rows of a table, whose name is quoted, up to a number. */
export function countRows(storage: SqlStorage, quoted: string, most: number = COUNTED_ROWS): BoundedCount {
  const [row] = storage.exec(`SELECT count(*) AS rows FROM (SELECT 1 FROM ${quoted} LIMIT ?)`, most + 1).toArray();
  const rows = row?.["rows"] as number;
  return rows > most ? { rows: most, isAtLeast: true } : { rows };
}
