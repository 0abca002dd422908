import type { SqlValue } from "../sql.ts";
import type { Fragment } from "../statement.ts";

/** The database that holds `.global()` tables, for who follows it. */
export interface GlobalDatabase {
  /**
   * Runs statements that only read, one after the other in one transaction on the primary, and resolves to the rows of each: changes
   * and the rows that they left have to be of one moment, or a batch that changed two rows would be seen by halves. Rejects with
   * `GLOBAL_UNAVAILABLE` when the database does not answer, and with `QUERY_TOO_COMPLEX` when a condition is more than a
   * statement takes.
   */
  read(statements: readonly Fragment[]): Promise<readonly (readonly Readonly<Record<string, SqlValue>>[])[]>;
}

/**
 * The seams of a shard for who follows its global tables.
 *
 * A function that reads a global table notes it in its footprint by `footprint.noteTable(table.name)`: any change of
 * that table touches it. Which tables those are is told by `table.isGlobal`. A local copy needs a `Table` of its own,
 * made of the same definition with the tier `root`: what a `Commit` takes of a table with `isGlobal` is held for D1.
 */
export interface GlobalSource {
  readonly database: GlobalDatabase;
  /** Called each time a mutation of this object has changed global tables and was committed, with their names. */
  onWritten: ((tables: ReadonlySet<string>) => void) | undefined;
}
