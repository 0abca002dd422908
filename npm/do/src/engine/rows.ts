import type { StoredRow } from "./document.ts";
import type { RowCache } from "./row-cache.ts";
import type { SqlStorage, SqlValue } from "./sql.ts";
import type { Table } from "./table.ts";

/** What every read of rows selects, in this order. */
export const ROW_COLUMNS = "id, _creationTime, doc, keys";

/** A row of a statement that selects `ROW_COLUMNS` first. */
export function toStoredRow(values: readonly SqlValue[]): StoredRow {
  return {
    id: values[0] as string,
    creationTime: values[1] as number,
    doc: values[2] as string,
    keys: values[3] as string | null,
  };
}

/** Where rows are read from. */
export interface RowSource {
  readonly storage: SqlStorage;
  /** Those of `.global()` tables, while they are read: see `GlobalSession.read`. */
  readonly far?: ((table: Table) => SqlStorage) | undefined;
  /** Those that were read or written before. */
  readonly rows?: RowCache | undefined;
}

/** Where the rows of the table are read. */
export function storageOf({ storage, far }: RowSource, table: Table): SqlStorage {
  return table.isGlobal ? (far as NonNullable<typeof far>)(table) : storage;
}

/** The row with this id. */
export function readRow(source: RowSource, table: Table, id: string): StoredRow | undefined {
  const { rows } = source;
  const known = rows?.get(table, id);
  if (known !== undefined) return known;
  // Read to the end: a statement that is left half-way stays open.
  const [values] = [...storageOf(source, table).exec(table.rowById, id).raw()];
  if (values === undefined) return undefined;
  const row = toStoredRow(values);
  rows?.set(table, id, row);
  return row;
}
