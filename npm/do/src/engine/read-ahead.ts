import { decodeRow } from "./document.ts";
import type { Document } from "./document.ts";
import { rowsOf } from "./index-walk.ts";
import type { Position, Walk } from "./index-walk.ts";
import { positionOf } from "./order.ts";
import type { SqlStorage } from "./sql.ts";

/** Rows of the second read; each further one is twice as long. */
const FIRST_CHUNK = 64;
const LARGEST_CHUNK = 1_024;

/** A row with its place in the order. */
export interface PlacedDocument {
  readonly document: Document;
  readonly position: Position;
}

/**
 * The rows of a walk for a reader that does not know yet how many it takes: in chunks, each read to
 * its end, so that stopping leaves nothing open. `expected` is how many it takes if it keeps them all.
 */
export function* readAhead(storage: SqlStorage, walk: Walk, expected: number): Generator<PlacedDocument, void> {
  const { table, terms } = walk;
  let after = walk.after;
  let limit = Math.max(1, Math.min(expected, LARGEST_CHUNK));
  let next = FIRST_CHUNK;
  for (;;) {
    const rows = [...rowsOf(storage, { ...walk, after, limit })];
    for (const row of rows) {
      const document = decodeRow(table, row);
      after = positionOf(terms, document, row);
      yield { document, position: after };
    }
    if (rows.length < limit) return;
    limit = next;
    next = Math.min(next * 2, LARGEST_CHUNK);
  }
}
