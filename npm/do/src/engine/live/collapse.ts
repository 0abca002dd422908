import type { Change } from "../commit.ts";
import type { RowChange } from "../footprint.ts";
import type { Table } from "../table.ts";

/**
 * The changes by table, those of one row folded into one: the image before the first, the image
 * after the last. A row that came and went is none.
 */
export function collapse(changes: readonly Change[]): ReadonlyMap<Table, readonly RowChange[]> {
  const rows = new Map<Table, Map<string, RowChange>>();
  for (const { table, id, before, after } of changes) {
    let ofTable = rows.get(table);
    if (ofTable === undefined) rows.set(table, (ofTable = new Map()));
    const earlier = ofTable.get(id);
    ofTable.set(id, { table, id, before: earlier === undefined ? before : earlier.before, after });
  }
  const folded = new Map<Table, readonly RowChange[]>();
  for (const [table, ofTable] of rows) {
    const present = [...ofTable.values()].filter(({ before, after }) => before !== undefined || after !== undefined);
    if (present.length > 0) folded.set(table, present);
  }
  return folded;
}
