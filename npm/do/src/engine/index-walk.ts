import { decodeRow } from "./document.ts";
import type { StoredRow } from "./document.ts";
import { keyIn } from "./field-test.ts";
import type { FieldTest } from "./field-test.ts";
import type { Footprint } from "./footprint.ts";
import { ROW_COLUMNS, toStoredRow } from "./rows.ts";
import { clauses, combine, raw, run, slot, sql } from "./statement.ts";
import type { Fragment } from "./statement.ts";
import type { KeySource } from "./column.ts";
import { quoteName } from "./sql.ts";
import type { SqlKey, SqlStorage, SqlValue } from "./sql.ts";
import { comparePositions } from "./order.ts";
import { ROW_NUMBER } from "./table.ts";
import type { Table } from "./table.ts";

/** One term of an order. */
export interface Term {
  readonly source: KeySource;
  readonly descending: boolean;
}

export interface Bound {
  readonly key: SqlKey;
  readonly inclusive: boolean;
}

/** The part of an index that is walked: equal on the first terms, between bounds on the next. */
export interface Range {
  readonly equal: readonly SqlKey[];
  readonly lower?: Bound;
  readonly upper?: Bound;
}

export const WHOLE: Range = { equal: [] };

/** A place in an order: the key of each term. */
export type Position = readonly SqlKey[];

export interface Walk {
  readonly table: Table;
  /** Whole order: the last term is different in every row. */
  readonly terms: readonly Term[];
  readonly range: Range;
  /** The index that has to serve the walk; without it SQLite chooses. */
  readonly sqlIndex?: string;
  /** Further conditions on rows. */
  readonly where?: Fragment | undefined;
  /** Starts behind this place. */
  readonly after?: Position | undefined;
  readonly limit?: number | undefined;
  /** Where what is read is noted. */
  readonly footprint?: Footprint | undefined;
  /** What `where` says of single columns, for the footprint. */
  readonly tests?: readonly FieldTest[];
  /** Rows behind this place make no difference to the reader. */
  readonly through?: Position | undefined;
}

/** A row and its place in SQLite. */
export interface WalkedRow extends StoredRow {
  readonly rowNumber: number;
}

function equals(source: KeySource, key: SqlKey): Fragment {
  return key === null ? raw(`${source.expression} IS NULL`, 2) : sql`${source.expression} = ${slot(key)}`;
}

function bounds(source: KeySource, { lower, upper }: Range): Fragment[] {
  const conditions: Fragment[] = [];
  if (lower !== undefined)
    conditions.push(sql`${source.expression} ${lower.inclusive ? ">=" : ">"} ${slot(lower.key)}`);
  if (upper !== undefined)
    conditions.push(sql`${source.expression} ${upper.inclusive ? "<=" : "<"} ${slot(upper.key)}`);
  return conditions;
}

/** Conditions for keys strictly behind one; absent values are the smallest. */
function behind({ source, descending }: Term, key: SqlKey): Fragment[] {
  const { expression } = source;
  if (!descending) return [key === null ? raw(`${expression} IS NOT NULL`, 2) : sql`${expression} > ${slot(key)}`];
  return key === null ? [] : [sql`${expression} < ${slot(key)}`, raw(`${expression} IS NULL`, 2)];
}

/** Stretches of the order, one after the other; in each the first `fixed` terms do not vary. */
interface Stretch {
  readonly conditions: readonly Fragment[];
  readonly fixed: number;
}

/**
 * A condition like `(a, b) > (x, y)` is no single range of an index, and NULLs break it. So the
 * rest of the order behind a position is cut into stretches that each are one: same `a` and
 * greater `b`, then greater `a`.
 */
function stretches({ terms, range, after }: Walk): Stretch[] {
  const prefix = range.equal.map((key, index) => equals((terms[index] as Term).source, key));
  const first = prefix.length;
  const free = terms[first];
  const limits = free === undefined ? [] : bounds(free.source, range);
  if (after === undefined) return [{ conditions: [...prefix, ...limits], fixed: first }];
  const result: Stretch[] = [];
  for (let index = terms.length - 1; index >= first; index -= 1) {
    const same = terms.slice(first, index).map(({ source }, offset) => equals(source, after[first + offset] as SqlKey));
    const term = terms[index] as Term;
    for (const condition of behind(term, after[index] as SqlKey)) {
      result.push({ conditions: [...prefix, ...limits, ...same, condition], fixed: index });
    }
  }
  return result;
}

function statement(walk: Walk, stretch: Stretch, limit: number | undefined): Fragment {
  const { table, terms, where, sqlIndex } = walk;
  const conditions = where === undefined ? stretch.conditions : [...stretch.conditions, where];
  const order = terms
    .slice(stretch.fixed)
    .map(({ source, descending }) => `${source.expression}${descending ? " DESC" : ""}`)
    .join(", ");
  return clauses(
    raw(`SELECT ${ROW_COLUMNS}, rowid FROM ${table.quoted}`, 0),
    sqlIndex === undefined ? undefined : raw(`INDEXED BY ${quoteName(sqlIndex)}`, 0),
    conditions.length === 0 ? undefined : sql`WHERE ${combine(conditions, "AND")}`,
    order === "" ? undefined : raw(`ORDER BY ${order}`, 0),
    limit === undefined ? undefined : sql`LIMIT ${slot(limit)}`,
  );
}

/** The statements of a walk, for plans. */
export function statementsOf(walk: Walk): Fragment[] {
  return stretches(walk).map((stretch) => statement(walk, stretch, walk.limit));
}

function toWalkedRow(values: readonly SqlValue[]): WalkedRow {
  return { ...toStoredRow(values), rowNumber: values[4] as number };
}

/** The tests that every row of a walk passes. */
function testsOf({ terms, range, tests = [] }: Walk): FieldTest[] {
  const { equal, lower, upper } = range;
  const result = [...tests];
  equal.forEach((key, index) => result.push({ source: (terms[index] as Term).source, oneOf: new Set([key]) }));
  const free = terms[equal.length];
  if (free !== undefined && (lower !== undefined || upper !== undefined))
    result.push({ source: free.source, ...(lower && { lower }), ...(upper && { upper }) });
  return result;
}

/** Where a row stands, or `undefined` when only SQLite knows. */
function placeOf({ table, terms }: Walk, row: WalkedRow): Position | undefined {
  const document = decodeRow(table, row);
  const place: SqlKey[] = [];
  for (const { source } of terms) {
    const key = source === ROW_NUMBER ? row.rowNumber : keyIn(source, document);
    if (key === undefined) return undefined;
    place.push(key);
  }
  return place;
}

/** Notes what a walk has read; `last` is its last row when there may be more behind it. */
function note(walk: Walk, last: WalkedRow | undefined): void {
  const { footprint, table, terms, after, through } = walk;
  if (footprint === undefined) return;
  const end = last === undefined ? undefined : placeOf(walk, last);
  const isShorter = end !== undefined && (through === undefined || comparePositions(terms, end, through) < 0);
  footprint.noteRange(table, testsOf(walk), { terms, after, through: isShorter ? end : through });
}

/**
 * The rows of a walk, in order. Without a limit they are read as they are asked for: nothing may be
 * awaited in between, and all have to be taken, since a statement that is left half-way stays open.
 */
export function* rowsOf(storage: SqlStorage, walk: Walk): Generator<WalkedRow, void> {
  const { limit } = walk;
  if (limit === undefined) {
    note(walk, undefined);
    for (const stretch of stretches(walk)) {
      for (const values of run(storage, statement(walk, stretch, undefined)).raw()) yield toWalkedRow(values);
    }
    return;
  }
  const found: WalkedRow[] = [];
  for (const stretch of stretches(walk)) {
    if (found.length >= limit) break;
    for (const values of run(storage, statement(walk, stretch, limit - found.length)).raw())
      found.push(toWalkedRow(values));
  }
  if (limit > 0) note(walk, found.length < limit ? undefined : found.at(-1));
  yield* found;
}
