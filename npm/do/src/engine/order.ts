import { LunoraError } from "@lunora/errors";

import { CREATION_TIME_COLUMN, ID_COLUMN } from "./column.ts";
import type { Document } from "./document.ts";
import type { Position, Term, WalkedRow } from "./index-walk.ts";
import { compareKeys } from "./sort-key.ts";
import { ROW_NUMBER } from "./table.ts";
import type { Table, TableIndex } from "./table.ts";

const forward = new WeakMap<TableIndex, readonly Term[]>();
const backward = new WeakMap<TableIndex, readonly Term[]>();

/** The terms of an index, all in one direction. Always the same array. */
export function termsOfIndex(index: TableIndex, descending: boolean): readonly Term[] {
  const known = descending ? backward : forward;
  let terms = known.get(index);
  if (terms === undefined) known.set(index, (terms = index.terms.map((source) => ({ source, descending }))));
  return terms;
}

/** The terms of an `orderBy`; ties are broken by creation, in the direction that was named last. */
export function termsOfOrder(table: Table, orderBy: unknown): Term[] {
  const parts: unknown[] = orderBy === undefined ? [] : Array.isArray(orderBy) ? orderBy : [orderBy];
  const terms: Term[] = [];
  for (const part of parts) {
    if (typeof part !== "object" || part === null)
      throw new LunoraError("BAD_REQUEST", "`orderBy` has to be an object, or an array of objects");
    for (const [field, direction] of Object.entries(part)) {
      if (direction === undefined) continue;
      const source = table.source(field);
      if (source === undefined) {
        throw new LunoraError(
          "BAD_REQUEST",
          `\`orderBy\` names \`${field}\`, which is not a column of \`${table.name}\``,
          { data: { field } },
        );
      }
      if (direction !== "asc" && direction !== "desc") {
        throw new LunoraError("BAD_REQUEST", `the direction of \`${field}\` has to be \`asc\` or \`desc\``, {
          data: { field },
        });
      }
      if (!terms.some((term) => term.source === source)) terms.push({ source, descending: direction === "desc" });
    }
  }
  const descending = terms.at(-1)?.descending ?? false;
  for (const source of [CREATION_TIME_COLUMN, ID_COLUMN]) {
    if (!terms.some((term) => term.source === source)) terms.push({ source, descending });
  }
  return terms;
}

/** Where a row stands in an order. */
export function positionOf(terms: readonly Term[], document: Document, row: WalkedRow): Position {
  return terms.map(({ source }) =>
    source === ROW_NUMBER ? (row.rowNumber as number) : source.keyOf(document[source.field]),
  );
}

/** Compares two places as SQLite orders them. */
export function comparePositions(terms: readonly Term[], left: Position, right: Position): number {
  for (const [index, { descending }] of terms.entries()) {
    const order = compareKeys(left[index] ?? null, right[index] ?? null);
    if (order !== 0) return descending ? -order : order;
  }
  return 0;
}
