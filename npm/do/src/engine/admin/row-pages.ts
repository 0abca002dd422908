import { canonicalJson } from "@lunora/protocol";

import type { SqlStorage } from "../sql.ts";
import type { Table } from "../table.ts";

/** Most rows of a page. */
const PAGE_ROWS = 1_000;

/** A row as it is exported. */
export interface PageRow {
  readonly id: string;
  readonly creationTime: number;
  /** Wire JSON of the columns. */
  readonly doc: string;
}

/** Where a page ends: `null` when nothing is behind it. */
export interface PageRange {
  readonly last: string | null;
}

/** How far a page behind `after` goes: at least one row, and no more than about `bytes`. */
export function pageRange(storage: SqlStorage, table: Table, after: string, bytes: number): PageRange {
  const sizes = [
    ...storage
      .exec(`SELECT id, octet_length(doc) FROM ${table.quoted} WHERE id > ? ORDER BY id LIMIT ${PAGE_ROWS + 1}`, after)
      .raw(),
  ] as [string, number][];
  let total = 0;
  let taken = 0;
  for (const [, size] of sizes) {
    if (taken > 0 && (total + size > bytes || taken === PAGE_ROWS)) break;
    total += size;
    taken += 1;
  }
  return { last: taken === sizes.length ? null : (sizes[taken - 1]?.[0] ?? null) };
}

/** The rows behind `after` up to the end of the range, by id. */
export function pageRows(storage: SqlStorage, table: Table, after: string, { last }: PageRange): PageRow[] {
  const rows =
    last === null
      ? storage.exec(`SELECT id, _creationTime, doc FROM ${table.quoted} WHERE id > ? ORDER BY id`, after)
      : storage.exec(
          `SELECT id, _creationTime, doc FROM ${table.quoted} WHERE id > ? AND id <= ? ORDER BY id`,
          after,
          last,
        );
  return ([...rows.raw()] as [string, number, string][]).map(([id, creationTime, doc]) => ({ id, creationTime, doc }));
}

/**
 * The row's canonical wire JSON, with `_id` and `_creationTime`: what is hashed, and what stands in a dump. Columns
 * that the schema no longer has are left out and told to `hidden`.
 */
export function canonicalRow(table: Table, row: PageRow, hidden: Set<string>): string {
  const fields = JSON.parse(row.doc) as Record<string, unknown>;
  const visible: Record<string, unknown> = { _id: row.id, _creationTime: row.creationTime };
  for (const field of Object.keys(fields)) {
    if (table.columns.has(field)) visible[field] = fields[field];
    else hidden.add(field);
  }
  return canonicalJson(visible);
}
