import { ID_COLUMN } from "./column.ts";
import { deleteRow } from "./delete-row.ts";
import { decodeFields, decodeRow } from "./document.ts";
import type { StoredRow } from "./document.ts";
import { rowsOf } from "./index-walk.ts";
import type { Position, Term, Walk } from "./index-walk.ts";
import { positionOf } from "./order.ts";
import { raw, slot, sql } from "./statement.ts";
import type { SqlStorage } from "./sql.ts";
import type { Table } from "./table.ts";
import type { WriteHost } from "./write-row.ts";

/** Rows looked at in one pass over one table. */
const PASS_ROWS = 200;

/** Rows that cannot be removed are tried again after this, milliseconds. */
const RETRY_AFTER = 60_000;

/** When the row expires, epoch milliseconds; `null`: never. */
export function expiryOf(table: Table, row: StoredRow): number | null {
  const { timeToLive } = table.definition;
  if (timeToLive === undefined) return null;
  const value = timeToLive.field === "_creationTime" ? row.creationTime : decodeFields(row.doc)[timeToLive.field];
  return typeof value === "number" ? value + timeToLive.after : null;
}

/** When the next row of the table expires. */
export function nextExpiry(storage: SqlStorage, table: Table): number | null {
  const { expiryIndex, definition } = table;
  if (expiryIndex === undefined || definition.timeToLive === undefined) return null;
  const live = table.liveCondition;
  const { expression } = expiryIndex.column;
  const [row] = storage
    .exec(
      `SELECT ${expression} AS time FROM ${table.quoted} WHERE ${expression} IS NOT NULL${live === undefined ? "" : ` AND ${live}`} ORDER BY ${expression} LIMIT 1`,
    )
    .toArray();
  return row === undefined ? null : (row["time"] as number) + definition.timeToLive.after;
}

/** Removes expired rows of a shard, a bounded number in each pass. */
export class ExpirySweep {
  /** Behind the rows that could not be removed. */
  readonly #resume = new Map<Table, Position>();

  /** Resolves to when the table wants the next pass; `null`: not before a row is written. */
  async pass(host: WriteHost, table: Table, now: number): Promise<number | null> {
    const { expiryIndex, definition } = table;
    if (expiryIndex === undefined || definition.timeToLive === undefined) return null;
    const { session } = host;
    const { storage } = session.facts.host;
    const live = table.liveCondition;
    const terms: Term[] = [expiryIndex.column, ID_COLUMN].map((source) => ({ source, descending: false }));
    const walk: Walk = {
      table,
      terms,
      range: { equal: [], upper: { key: now - definition.timeToLive.after, inclusive: true } },
      where: live === undefined ? undefined : raw(live, 2),
      after: this.#resume.get(table),
      limit: PASS_ROWS,
    };
    const rows = [...rowsOf(storage, walk)];
    let failed = 0;
    for (const row of rows) {
      try {
        await session.exclusive(async () => {
          const [stillThere] = rowsOf(storage, {
            ...walk,
            after: undefined,
            where: sql`id = ${slot(row.id)}`,
            limit: 1,
          });
          if (stillThere !== undefined) await deleteRow(host, table, row.id);
        });
      } catch (error) {
        session.assertOpen();
        failed += 1;
        console.error(`[lunora] an expired row of \`${table.name}\` cannot be removed and is tried again later`, error);
      }
    }
    const last = rows.at(-1);
    if (rows.length === PASS_ROWS && last !== undefined) {
      if (failed > 0) this.#resume.set(table, positionOf(terms, decodeRow(table, last), last));
      return now;
    }
    const blocked = failed > 0 || this.#resume.delete(table);
    const next = nextExpiry(storage, table);
    return blocked && next !== null ? Math.max(next, now + RETRY_AFTER) : next;
  }
}
