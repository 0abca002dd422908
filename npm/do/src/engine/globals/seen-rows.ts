import type { StoredRow } from "../document.ts";
import type { Table } from "../table.ts";

interface SeenRow {
  /** `undefined`: it was missing. */
  readonly row: StoredRow | undefined;
  /** It was asked for by its id: what was decided may depend on it. */
  isGuarded: boolean;
}

/**
 * Committed rows as a mutation first saw them. Whatever it sees of them later stays the same, and those that it asked for by their
 * ids have to be the same still when it commits.
 */
export class SeenRows {
  readonly #tables = new Map<Table, Map<string, SeenRow>>();

  #of(table: Table): Map<string, SeenRow> {
    let rows = this.#tables.get(table);
    if (rows === undefined) this.#tables.set(table, (rows = new Map()));
    return rows;
  }

  /** A row that was among others. */
  note(table: Table, row: StoredRow): void {
    const rows = this.#of(table);
    if (!rows.has(row.id)) rows.set(row.id, { row, isGuarded: false });
  }

  /** A row that was asked for. The answer is what was seen first. */
  guard(table: Table, id: string, row: StoredRow | undefined): StoredRow | undefined {
    const rows = this.#of(table);
    const seen = rows.get(id) ?? { row, isGuarded: true };
    seen.isGuarded = true;
    rows.set(id, seen);
    return seen.row;
  }

  has(table: Table, id: string): boolean {
    return this.#tables.get(table)?.has(id) === true;
  }

  /** What has to be unchanged. */
  get guards(): Map<Table, Map<string, StoredRow | undefined>> {
    const guards = new Map<Table, Map<string, StoredRow | undefined>>();
    for (const [table, rows] of this.#tables) {
      const guarded = [...rows].filter(([, { isGuarded }]) => isGuarded);
      if (guarded.length > 0) guards.set(table, new Map(guarded.map(([id, { row }]) => [id, row])));
    }
    return guards;
  }

  clear(): void {
    this.#tables.clear();
  }
}
