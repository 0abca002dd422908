import { LunoraError } from "@lunora/errors";
import { canonicalJson, encodeValue } from "@lunora/protocol";

import { ID_COLUMN } from "../../column.ts";
import { decodeCursor, encodeCursor } from "../../cursor.ts";
import { decodeRow } from "../../document.ts";
import { rowsOf, WHOLE } from "../../index-walk.ts";
import type { Position, Term, WalkedRow } from "../../index-walk.ts";
import { imagesThatMeet } from "../../live/row-images.ts";
import { positionOf, termsOfOrder } from "../../order.ts";
import { assertLivesHere } from "../../shard-scope.ts";
import type { Table } from "../../table.ts";
import { compileWhere } from "../../where.ts";
import type { ShardAdminHost } from "../admin-part.ts";
import { fieldsOf, text } from "../arguments.ts";
import { COUNTED_ROWS, countRows } from "./bounded-count.ts";
import { optionalText, wireObject, wholeNumber } from "./questions.ts";

/** Most rows of a page. */
const PAGE = 200;

/** Rows that one request looks at, for a filter or a search that few of them meet. */
const LOOKED_AT = 10_000;

/** Rows that are read at once: some, and then as many as are about so many characters. */
const FIRST_CHUNK = 8;
const LARGEST_CHUNK = 500;
const CHUNK_LENGTH = 2_000_000;

/** Characters of rows after which no more are looked at. */
const LOOKED_AT_LENGTH = 16_000_000;

/** Some rows of a table. */
export interface RowPage {
  /** Wire-encoded. There may be fewer than asked for, or none, before the end. */
  readonly rows: readonly unknown[];
  /** Where to go on; `null` at the end. */
  readonly cursor: string | null;
  /** Rows of the whole table, on the first page, when there are not too many to count. */
  readonly total?: number;
}

/** The order of a page. By id nothing breaks ties, since there are none. */
function orderOf(table: Table, orderBy: unknown): readonly Term[] {
  const terms = termsOfOrder(table, orderBy);
  const end = terms.findIndex(({ source }) => source === ID_COLUMN);
  return terms.slice(0, end + 1);
}

/** The declared index that has the order, by its name in SQLite. */
function indexOf(table: Table, terms: readonly Term[]): string | undefined {
  const [first] = terms;
  if (terms.some(({ descending }) => descending !== first?.descending)) return undefined;
  const index = [...table.indexes.values()].find(
    ({ unique, terms: stored }) =>
      !unique && stored.length === terms.length && stored.every((source, place) => source === terms[place]?.source),
  );
  return index?.sqlName;
}

/** A page of the rows of a table: `{table, cursor?, limit?, orderBy?, filter?, search?}`. Rows marked as deleted are among them. */
export function rows({ engine }: ShardAdminHost, argument: unknown): RowPage {
  const fields = fieldsOf(argument);
  const { schema, scope, storage } = engine.findHost;
  const table = schema.table(text(fields, "table"));
  assertLivesHere(scope, table);
  const limit = wholeNumber(fields, "limit", PAGE, 1, PAGE);
  const filter = wireObject(fields, "filter");
  const search = optionalText(fields, "search");
  const terms = orderOf(table, fields["orderBy"] ?? undefined);
  const sqlIndex = indexOf(table, terms);
  const isSorted = sqlIndex !== undefined || terms[0]?.source === ID_COLUMN;
  const { cursor } = fields;
  const isFirst = cursor === undefined || cursor === null;
  const counted = isFirst || !isSorted ? countRows(storage, table.quoted) : undefined;
  if (!isSorted && counted?.isAtLeast === true)
    throw new LunoraError(
      "QUERY_TOO_COMPLEX",
      `no index of \`${table.name}\` has the order asked for, and sorting more than ${COUNTED_ROWS} rows would hold up the shard: sort by \`_id\`, \`_creationTime\` or the columns of an index`,
      { data: { table: table.name, rows: COUNTED_ROWS } },
    );
  const condition = compileWhere(table, filter);
  const query = canonicalJson([
    table.name,
    terms.map(({ source, descending }) => [source.field, descending]),
    encodeValue(filter ?? null),
    search ?? null,
  ]);
  const start = isFirst ? undefined : decodeCursor(query, cursor, terms.length);

  const meeting = (images: readonly WalkedRow[]): ReadonlySet<unknown> => {
    const found =
      search === undefined ? images : images.filter((image) => image.id === search || image.doc.includes(search));
    return condition === undefined || found.length === 0 ? new Set(found) : imagesThatMeet(storage, found, condition);
  };
  const order = { table, terms, range: WHOLE, ...(sqlIndex === undefined ? {} : { sqlIndex }) };
  const page: unknown[] = [];
  let after: Position | undefined = start?.kind === "row" ? start.position : undefined;
  let seen = 0;
  let length = 0;
  let chunk = FIRST_CHUNK;
  let isEnd = start?.kind === "end";
  const hasFilter = condition !== undefined || search !== undefined;
  while (!isEnd && page.length < limit && seen < LOOKED_AT && length < LOOKED_AT_LENGTH) {
    // One more than fits tells whether any follows.
    const asked = hasFilter ? chunk : Math.min(chunk, limit - page.length + 1);
    const images = [...rowsOf(storage, { ...order, after, limit: asked })];
    const found = meeting(images);
    let last: WalkedRow | undefined;
    let taken = 0;
    for (const image of images) {
      if (page.length === limit) break;
      if (found.has(image)) page.push(encodeValue(decodeRow(table, image)));
      last = image;
      taken += 1;
      length += image.doc.length;
    }
    if (last !== undefined) after = positionOf(terms, decodeRow(table, last), last);
    seen += taken;
    isEnd = taken === images.length && images.length < asked;
    chunk = Math.max(1, Math.min(LARGEST_CHUNK, Math.floor((CHUNK_LENGTH * seen) / Math.max(1, length))));
  }
  return {
    rows: page,
    cursor: isEnd || after === undefined ? null : encodeCursor(query, { kind: "row", position: after }),
    ...(counted === undefined || counted.isAtLeast === true ? {} : { total: counted.rows }),
  };
}
