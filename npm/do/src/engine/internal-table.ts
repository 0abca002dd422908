import type { SqlStorage } from "./sql.ts";

/** Adds a column to an internal table that was made before it had one. */
export function addColumn(storage: SqlStorage, table: string, column: string, type: string): void {
  const [row] = storage.exec("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", table).toArray();
  if (new RegExp(`\\b${column}\\b`).test(String(row?.["sql"]))) return;
  storage.exec(`ALTER TABLE ${table} ADD COLUMN ${column} ${type}`);
}
