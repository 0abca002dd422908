import type { RegisteredShape } from "@lunora/server";

import type { StoredRow } from "../document.ts";
import type { Table } from "../table.ts";

/** The columns of a table that subscribers of a shape get, and rows as wire JSON with these. */
export class RowProjection {
  readonly table: Table;
  /** In the order of the schema. Columns that only old rows still have are not among them. */
  readonly columns: readonly string[];
  /** Equal for projections that give equal texts. */
  readonly signature: string;
  readonly #texts = new WeakMap<StoredRow, string>();

  constructor(table: Table, columns: RegisteredShape["columns"]) {
    this.table = table;
    this.columns = [...table.columns.keys()].filter((column) => columns === undefined || columns.includes(column));
    this.signature = JSON.stringify([table.name, ...this.columns]);
  }

  /** The row as its subscribers see it. Made once for each image, however many shapes show it. */
  textOf(row: StoredRow): string {
    let text = this.#texts.get(row);
    if (text === undefined) this.#texts.set(row, (text = this.#write(row)));
    return text;
  }

  /** Whether subscribers see the same before and after. */
  isSame(before: StoredRow, after: StoredRow): boolean {
    return before.doc === after.doc || this.textOf(before) === this.textOf(after);
  }

  #write({ id, creationTime, doc }: StoredRow): string {
    // The document is the wire JSON of its columns, so their values are copied as they are.
    const fields = JSON.parse(doc) as Record<string, unknown>;
    let text = `{"_id":${JSON.stringify(id)},"_creationTime":${JSON.stringify(creationTime)}`;
    for (const column of this.columns) {
      if (Object.hasOwn(fields, column)) text += `,${JSON.stringify(column)}:${JSON.stringify(fields[column])}`;
    }
    return `${text}}`;
  }
}
