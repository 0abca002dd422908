import { LunoraError } from "@lunora/errors";
import type { PolicyCondition } from "@lunora/server";

import { decodeRow } from "./document.ts";
import type { Document, Fields } from "./document.ts";
import { testsOfWhere } from "./field-test.ts";
import type { FieldTest } from "./field-test.ts";
import type { Footprint } from "./footprint.ts";
import { rowsOf, statementsOf, WHOLE } from "./index-walk.ts";
import type { Walk } from "./index-walk.ts";
import { loadRelations } from "./load-relations.ts";
import { termsOfOrder } from "./order.ts";
import { readPage } from "./paginate.ts";
import type { Page } from "./paginate.ts";
import { storageOf } from "./rows.ts";
import type { RowSource } from "./rows.ts";
import type { Schema } from "./schema.ts";
import type { ShardScope } from "./shard-scope.ts";
import { clauses, combine, raw, run, sql } from "./statement.ts";
import type { Fragment } from "./statement.ts";
import type { Table } from "./table.ts";
import { compileWhere } from "./where.ts";

/** What a read may see, and where it is noted. */
export interface ReadView {
  readonly footprint?: Footprint | undefined;
  /** What policies leave of tables; of a table that is not in it, every row. */
  readonly visible?: ReadonlyMap<Table, PolicyCondition>;
}

/** What finding rows needs. */
export interface FindHost extends ReadView, RowSource {
  readonly schema: Schema;
  readonly scope: ShardScope;
}

/** Options of `findMany`, unchecked. */
export interface FindOptions {
  readonly where?: unknown;
  readonly orderBy?: unknown;
  readonly select?: unknown;
  readonly with?: unknown;
  readonly limit?: unknown;
  readonly cursor?: unknown;
  readonly includeDeleted?: unknown;
}

const KNOWN_OPTIONS = new Set(["where", "orderBy", "select", "with", "limit", "cursor", "includeDeleted"]);

/** Rows in a page when `limit` is left out. */
const DEFAULT_PAGE = 100;

export function checkOptions(options: unknown): FindOptions {
  if (options === undefined) return {};
  if (typeof options !== "object" || options === null)
    throw new LunoraError("BAD_REQUEST", "the options have to be an object");
  for (const key of Object.keys(options)) {
    if (!KNOWN_OPTIONS.has(key))
      throw new LunoraError("BAD_REQUEST", `\`${key}\` is not an option of a find`, { data: { option: key } });
  }
  return options;
}

/** Which rows may be among those of a read, as SQL and as tests of single columns. */
export interface Selection {
  readonly where: Fragment | undefined;
  /** Filled only where they are noted. */
  readonly tests: readonly FieldTest[];
}

const EVERYTHING: Selection = { where: undefined, tests: [] };

/** `where`, what policies allow, and the condition that hides rows marked as deleted. */
export function selectionOf(table: Table, { where, includeDeleted }: FindOptions, view: ReadView): Selection {
  const visible = view.visible?.get(table);
  if (where === undefined && visible === undefined && (includeDeleted === true || table.liveCondition === undefined))
    return EVERYTHING;
  const parts = [
    compileWhere(table, where),
    visible === false ? raw("0") : compileWhere(table, visible),
    includeDeleted === true || table.liveCondition === undefined ? undefined : raw(table.liveCondition, 2),
  ].filter((part) => part !== undefined);
  return {
    where: parts.length === 0 ? undefined : combine(parts, "AND"),
    tests:
      view.footprint === undefined
        ? []
        : [...testsOfWhere(table, where), ...(visible === false ? [] : testsOfWhere(table, visible))],
  };
}

export function limitOf(limit: unknown): number | undefined {
  if (limit === undefined) return undefined;
  if (typeof limit !== "number" || !Number.isInteger(limit) || limit < 0) {
    throw new LunoraError("BAD_REQUEST", `\`limit\` has to be a number of rows, not \`${String(limit)}\``);
  }
  return limit;
}

/** Only the chosen columns and `_id`. */
export function selectColumns(table: Table, documents: readonly Document[], select: unknown): Document[] {
  if (select === undefined) return [...documents];
  if (typeof select !== "object" || select === null)
    throw new LunoraError("BAD_REQUEST", "`select` has to be an object of `column: true`");
  const chosen = Object.entries(select).filter(([, wanted]) => wanted === true);
  for (const [field] of chosen) {
    if (table.source(field) === undefined) {
      throw new LunoraError(
        "BAD_REQUEST",
        `\`select\` names \`${field}\`, which is not a column of \`${table.name}\``,
        { data: { field } },
      );
    }
  }
  return documents.map((document) => {
    const row: Fields = { _id: document._id };
    for (const [field] of chosen) if (Object.hasOwn(document, field)) row[field] = document[field];
    return row as unknown as Document;
  });
}

function walkOf(table: Table, options: FindOptions, limit: number | undefined, view: ReadView): Walk {
  return {
    table,
    terms: termsOfOrder(table, options.orderBy),
    range: WHOLE,
    ...selectionOf(table, options, view),
    limit,
    footprint: view.footprint,
  };
}

/** Chosen columns and wanted relations. */
export function shape(host: FindHost, table: Table, documents: readonly Document[], options: FindOptions): Document[] {
  const rows = selectColumns(table, documents, options.select);
  if (options.with !== undefined) loadRelations(host, table, documents, rows, options.with);
  return rows;
}

export function findMany(host: FindHost, table: Table, unchecked: unknown): Document[] | Page<Document> {
  const options = checkOptions(unchecked);
  const limit = limitOf(options.limit);
  if (options.cursor !== undefined) {
    const page = readPage(storageOf(host, table), walkOf(table, options, undefined, host), {
      query: JSON.stringify([
        table.name,
        "findMany",
        options.orderBy ?? null,
        describe(options.where),
        options.includeDeleted === true,
      ]),
      numItems: limit ?? DEFAULT_PAGE,
      cursor: options.cursor as string | null,
      endCursor: undefined,
      keeps: () => true,
    });
    return { ...page, page: shape(host, table, page.page, options) };
  }
  const rows = rowsOf(storageOf(host, table), walkOf(table, options, limit, host));
  const documents = Array.from(rows, (row) => decodeRow(table, row));
  return shape(host, table, documents, options);
}

/** A `where` as text; bigints and bytes have none in JSON. */
function describe(where: unknown): string {
  return (
    JSON.stringify(where, (_, value: unknown) =>
      typeof value === "bigint" ? `${value}n` : value instanceof ArrayBuffer ? [...new Uint8Array(value)] : value,
    ) ?? ""
  );
}

export function findFirst(host: FindHost, table: Table, unchecked: unknown): Document | null {
  const options = checkOptions(unchecked);
  const [row] = rowsOf(storageOf(host, table), walkOf(table, options, 1, host));
  if (row === undefined) return null;
  return shape(host, table, [decodeRow(table, row)], options)[0] ?? null;
}

function fromWhere(host: FindHost, table: Table, unchecked: unknown): Fragment {
  const { where, tests } = selectionOf(table, checkOptions(unchecked), host);
  host.footprint?.noteRange(table, tests);
  return clauses(raw(`FROM ${table.quoted}`, 0), where === undefined ? undefined : sql`WHERE ${where}`);
}

export function count(host: FindHost, table: Table, options: unknown): number {
  const [row] = run(
    storageOf(host, table),
    clauses(raw("SELECT count(*) AS count", 0), fromWhere(host, table, options)),
  ).toArray();
  return row?.["count"] as number;
}

export function exists(host: FindHost, table: Table, options: unknown): boolean {
  return (
    run(
      storageOf(host, table),
      clauses(raw("SELECT 1", 0), fromWhere(host, table, options), raw("LIMIT 1", 0)),
    ).toArray().length > 0
  );
}

/** Ids of the rows that a condition holds for, in order of creation. */
export function idsWhere(host: FindHost, table: Table, where: unknown): string[] {
  return Array.from(rowsOf(storageOf(host, table), walkOf(table, { where }, undefined, host)), ({ id }) => id);
}

/** The statements that `findMany` runs, for plans. */
export function findStatements(table: Table, options: FindOptions): Fragment[] {
  return statementsOf(walkOf(table, options, limitOf(options.limit), {}));
}
