import { decodeRow } from "./document.ts";
import type { StoredRow } from "./document.ts";
import { keyIn } from "./field-test.ts";
import type { FieldTest } from "./field-test.ts";
import type { Footprint } from "./footprint.ts";
import { clauses, combine, needsJson, raw, render, run, slot, sql } from "./statement.ts";
import type { Fragment } from "./statement.ts";
import type { KeySource } from "./column.ts";
import { quoteName } from "./sql.ts";
import type { SqlCursor, SqlKey, SqlStorage, SqlValue } from "./sql.ts";
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

/** A row and, where the order needs it, its place in SQLite. */
export interface WalkedRow extends StoredRow {
  readonly rowNumber?: number | undefined;
}

/** Every column costs: what is not needed is not read. */
interface Selected {
  /** A table without projections has no keys. */
  readonly hasKeys: boolean;
  readonly hasRowNumber: boolean;
}

function selectedBy({ table, terms }: Walk): Selected {
  return {
    hasKeys: table.projected.length > 0,
    hasRowNumber: terms.at(-1)?.source === ROW_NUMBER,
  };
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
  const { hasKeys, hasRowNumber } = selectedBy(walk);
  return clauses(
    raw(
      `SELECT id, _creationTime, doc${hasKeys ? ", keys" : ""}${hasRowNumber ? ", rowid" : ""} FROM ${table.quoted}`,
      0,
    ),
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

function toWalkedRow({ hasKeys, hasRowNumber }: Selected, values: readonly SqlValue[]): WalkedRow {
  return {
    id: values[0] as string,
    creationTime: values[1] as number,
    doc: values[2] as string,
    keys: hasKeys ? (values[3] as string | null) : null,
    rowNumber: hasRowNumber ? (values.at(-1) as number) : undefined,
  };
}

/** What a statement on an index is named by, besides its values. */
function nameOf({ equal, lower, upper }: Range, limit: number | undefined): string {
  let name = limit === undefined ? "" : "#";
  for (const key of equal) name += key === null ? "0" : "=";
  if (lower !== undefined) name += lower.inclusive ? "]" : ">";
  if (upper !== undefined) name += upper.inclusive ? "[" : "<";
  return name;
}

const texts = new WeakMap<readonly Term[], Map<string, string>>();

/**
 * Runs one stretch. Walks over an index that say nothing else differ in their values only, so their
 * texts are kept: putting one together takes as long as reading a few rows.
 */
function runStretch(storage: SqlStorage, walk: Walk, stretch: Stretch, limit: number | undefined): SqlCursor {
  const { terms, range, sqlIndex, where, after } = walk;
  const isPlain = sqlIndex !== undefined && where === undefined && after === undefined;
  if (!isPlain) return run(storage, statement(walk, stretch, limit));
  const bindings: SqlValue[] = range.equal.filter((key) => key !== null);
  if (range.lower !== undefined) bindings.push(range.lower.key);
  if (range.upper !== undefined) bindings.push(range.upper.key);
  if (limit !== undefined) bindings.push(limit);
  if (bindings.some(needsJson)) return run(storage, statement(walk, stretch, limit));
  let ofIndex = texts.get(terms);
  if (ofIndex === undefined) texts.set(terms, (ofIndex = new Map()));
  const name = nameOf(range, limit);
  let text = ofIndex.get(name);
  if (text === undefined) ofIndex.set(name, (text = render(statement(walk, stretch, limit)).text));
  return storage.exec(text, ...bindings);
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
    const key = source === ROW_NUMBER ? (row.rowNumber as number) : keyIn(source, document);
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
  const selected = selectedBy(walk);
  if (limit === undefined) {
    note(walk, undefined);
    for (const stretch of stretches(walk)) {
      for (const values of runStretch(storage, walk, stretch, undefined).raw()) yield toWalkedRow(selected, values);
    }
    return;
  }
  const found: WalkedRow[] = [];
  for (const stretch of stretches(walk)) {
    if (found.length >= limit) break;
    for (const values of runStretch(storage, walk, stretch, limit - found.length).raw())
      found.push(toWalkedRow(selected, values));
  }
  if (limit > 0) note(walk, found.length < limit ? undefined : found.at(-1));
  yield* found;
}
