import type { StoredRow } from "./document.ts";
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

/** The row with this id. */
export function readRow(storage: SqlStorage, table: Table, id: string): StoredRow | undefined {
  // Read to the end: a statement that is left half-way stays open.
  const [values] = [...storage.exec(`SELECT ${ROW_COLUMNS} FROM ${table.quoted} WHERE id = ?`, id).raw()];
  return values === undefined ? undefined : toStoredRow(values);
}
