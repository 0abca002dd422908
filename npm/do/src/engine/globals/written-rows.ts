import type { Change, Commit } from "../commit.ts";
import type { StoredRow } from "../document.ts";
import type { Table } from "../table.ts";

/** A row of a global table that a mutation has written. */
export interface WrittenRow {
  /** As it was before the first of the mutation's changes; `undefined`: it was not there. */
  readonly before: StoredRow | undefined;
  /** As it is to be; `undefined`: it is to be gone. */
  readonly after: StoredRow | undefined;
}

export type WrittenTable = ReadonlyMap<string, WrittenRow>;

/** What the changes of a commit come to, row by row. */
export class WrittenRows {
  readonly #commit: Commit;
  #tables = new Map<Table, Map<string, WrittenRow>>();
  /** How many changes are taken in, and the last of them: by these it is told that some were undone. */
  #taken = 0;
  #last: Change | undefined;

  constructor(commit: Commit) {
    this.#commit = commit;
  }

  #catchUp(): void {
    const { changes } = this.#commit;
    if (changes[this.#taken - 1] !== this.#last) {
      this.#tables = new Map();
      this.#taken = 0;
    }
    for (const { table, id, before, after } of changes.slice(this.#taken)) {
      let rows = this.#tables.get(table);
      if (rows === undefined) this.#tables.set(table, (rows = new Map()));
      rows.set(id, { before: rows.has(id) ? rows.get(id)?.before : before, after });
    }
    this.#taken = changes.length;
    this.#last = changes.at(-1);
  }

  get tables(): ReadonlyMap<Table, WrittenTable> {
    this.#catchUp();
    return this.#tables;
  }

  of(table: Table): WrittenTable | undefined {
    return this.tables.get(table);
  }
}
