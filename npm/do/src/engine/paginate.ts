import { LunoraError } from "@lunora/errors";

import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { Document } from "./document.ts";
import type { Position, Walk } from "./index-walk.ts";
import { comparePositions } from "./order.ts";
import { readAhead } from "./read-ahead.ts";
import type { SqlStorage } from "./sql.ts";

export interface Page<Row> {
  readonly page: Row[];
  readonly isDone: boolean;
  readonly continueCursor: string;
}

export interface PageRequest {
  /** What must be the same for the cursor to mean the same. */
  readonly query: string;
  readonly numItems: number;
  readonly cursor: string | null | undefined;
  readonly endCursor: string | null | undefined;
  readonly keeps: (document: Document) => boolean;
}

/** Most rows in one page. */
const LARGEST_PAGE = 10_000;

/** One page by keyset: no row before the page is read. */
export function readPage(storage: SqlStorage, walk: Walk, request: PageRequest): Page<Document> {
  const { query, numItems, keeps } = request;
  const { terms } = walk;
  if (!Number.isInteger(numItems) || numItems < 1 || numItems > LARGEST_PAGE) {
    throw new LunoraError(
      "BAD_REQUEST",
      `\`numItems\` has to be an integer from 1 to ${LARGEST_PAGE}, not \`${String(numItems)}\``,
    );
  }
  const start = request.cursor == null ? undefined : decodeCursor(query, request.cursor, terms.length);
  const end = request.endCursor == null ? undefined : decodeCursor(query, request.endCursor, terms.length);
  if (start?.kind === "end") return { page: [], isDone: true, continueCursor: request.cursor as string };

  const page: Document[] = [];
  let last: Position | undefined = start?.position;
  let isDone = true;
  const through = end?.kind === "row" ? end.position : undefined;
  const places = readAhead(storage, { ...walk, after: start?.position, through }, numItems + 1);
  for (const { document, position } of places) {
    if (end === undefined) {
      // One row beyond the page tells whether anything follows.
      if (page.length === numItems) {
        if (!keeps(document)) continue;
        isDone = false;
        break;
      }
    } else if (end.kind === "row" && comparePositions(terms, position, end.position) > 0) {
      isDone = false;
      break;
    }
    if (!keeps(document)) continue;
    page.push(document);
    last = position;
  }
  if (end !== undefined)
    return { page, isDone: isDone && end.kind === "end", continueCursor: request.endCursor as string };
  const place = isDone || last === undefined ? ({ kind: "end" } as const) : ({ kind: "row", position: last } as const);
  return { page, isDone, continueCursor: encodeCursor(query, place) };
}
