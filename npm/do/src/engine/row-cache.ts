import type { StoredRow } from "./document.ts";
import type { Table } from "./table.ts";

/** Rows held, and the longest document that is held, characters. */
const ROWS = 1_000;
const DOCUMENT_LENGTH = 10_000;

/**
 * Rows as they stand in the storage, for whoever asks for them again: a mutation reads a row and then
 * writes it, and the next one of the group wants the same. `Commit` keeps it true.
 */
export class RowCache {
  readonly #tables = new Map<Table, Map<string, StoredRow>>();
  #size = 0;

  get(table: Table, id: string): StoredRow | undefined {
    return this.#tables.get(table)?.get(id);
  }

  /** `undefined`: the row is gone, or what it is now is not known. */
  set(table: Table, id: string, row: StoredRow | undefined): void {
    let rows = this.#tables.get(table);
    if (row === undefined || row.doc.length > DOCUMENT_LENGTH) {
      if (rows?.delete(id) === true) this.#size -= 1;
      return;
    }
    if (this.#size >= ROWS) {
      this.clear();
      rows = undefined;
    }
    if (rows === undefined) this.#tables.set(table, (rows = new Map()));
    if (!rows.has(id)) this.#size += 1;
    rows.set(id, row);
  }

  clear(): void {
    if (this.#size === 0) return;
    this.#tables.clear();
    this.#size = 0;
  }
}
