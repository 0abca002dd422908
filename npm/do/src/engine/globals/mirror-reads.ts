import type { StoredRow } from "../document.ts";
import { projectAgain } from "../document.ts";
import { ROW_COLUMNS } from "../rows.ts";
import type { SqlValue } from "../sql.ts";
import { clauses, raw, slot, sql } from "../statement.ts";
import type { Fragment } from "../statement.ts";
import type { Table } from "../table.ts";
import { sourceOf } from "./mirror-tables.ts";

/** A row of an answer of the database. */
export type Answer = Readonly<Record<string, SqlValue>>;

/** How much of the list of changes there is. */
export interface Extent {
  /** The oldest position that is kept; 1 when there is none. */
  readonly floor: number;
  /** The newest position; 0 before the first change. */
  readonly head: number;
}

/** One change of the list. */
export interface Noted {
  readonly seq: number;
  readonly table: string;
  readonly id: string;
}

/** The newest change is never forgotten. Two statements of SQLite in one: together they would go through the whole list. */
const EXTENT = raw(
  "SELECT coalesce((SELECT min(seq) FROM __lunora_changes), 1) AS floor, coalesce((SELECT max(seq) FROM __lunora_changes), 0) AS head",
);

/** Reads an {@link Extent}. */
export function extentStatement(): Fragment {
  return EXTENT;
}

export function extentOf([row]: readonly Answer[]): Extent {
  return { head: row?.["head"] as number, floor: row?.["floor"] as number };
}

/** Names of the tables that changed after the position, as `name`. */
export function changedTables(since: number): Fragment {
  return sql`SELECT DISTINCT "table" AS name FROM __lunora_changes WHERE seq > ${slot(since)}`;
}

/** {@link Noted} of these tables after the position, the oldest first. */
export function changesAfter(since: number, tables: readonly Table[], limit: number): Fragment {
  const names = slot(JSON.stringify(tables.map(({ name }) => name)));
  return sql`SELECT seq, "table", id FROM __lunora_changes WHERE seq > ${slot(since)} AND "table" IN (SELECT value FROM json_each(${names})) ORDER BY seq LIMIT ${slot(limit)}`;
}

/** The present rows of one table that those changes name. */
export function rowsOfChanges(changes: Fragment, table: Table): Fragment {
  return sql`SELECT ${ROW_COLUMNS} FROM ${sourceOf(table)} WHERE id IN (SELECT id FROM (${changes}) WHERE "table" = ${slot(table.name)})`;
}

/** What changed after the position is left to whoever follows from there. */
function unchangedSince(table: Table, since: number): Fragment {
  return sql`id NOT IN (SELECT id FROM __lunora_changes WHERE seq > ${slot(since)} AND "table" = ${slot(table.name)})`;
}

/** `id` and `size` of rows that meet the condition and have not changed since, in the order of their ids behind `after`. */
export function idsWhere(
  table: Table,
  condition: Fragment | undefined,
  since: number,
  after: string,
  limit: number,
): Fragment {
  return clauses(
    sql`SELECT id, length(doc) AS size FROM ${sourceOf(table)} WHERE id > ${slot(after)} AND ${unchangedSince(table, since)}`,
    condition === undefined ? undefined : sql`AND (${condition})`,
    sql`ORDER BY id LIMIT ${slot(limit)}`,
  );
}

/** Rows with these ids, those left out that have changed since. */
export function rowsOfIds(table: Table, ids: readonly string[], since: number): Fragment {
  const list = slot(JSON.stringify(ids));
  return sql`SELECT ${ROW_COLUMNS} FROM ${sourceOf(table)} WHERE id IN (SELECT value FROM json_each(${list})) AND ${unchangedSince(table, since)}`;
}

/** The row as a copy is stored: its keys are those of this code's schema. */
export function rowOf(table: Table, answer: Answer): StoredRow {
  const doc = answer["doc"] as string;
  return {
    id: answer["id"] as string,
    creationTime: answer["_creationTime"] as number,
    doc,
    keys: projectAgain(table, doc),
  };
}
