import { quoteName } from "../sql.ts";
import type { SqlStorage } from "../sql.ts";
import type { ShardAdminHost } from "./admin-part.ts";
import { fieldsOf, positive } from "./arguments.ts";

/** Rows that are looked at before others are let in. */
const SLICE_ROWS = 10_000;

/** Which rows come next. */
export interface WeighPosition {
  readonly table: string;
  readonly after: string;
}

/**
 * What a table holds: rows, and the bytes of their ids, times and documents as they are stored. Indexes and free pages
 * belong to no table here: SQLite tells them apart only by a module that the platform does not have.
 */
export interface TableWeight {
  readonly rows: number;
  readonly bytes: number;
}

export interface WeighPage {
  /** Tables of the storage, those that the schema no longer has among them. */
  readonly tables: Readonly<Record<string, TableWeight>>;
  /** Of the whole object on disk; with the last page. */
  readonly bytes: number | null;
  /** Where to go on; `null` at the end. */
  readonly position: WeighPosition | null;
}

/** Tables of the app, by name; ours, the platform's and SQLite's have names of their own. */
function appTables(storage: SqlStorage): string[] {
  return storage
    .exec(
      `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '__*' AND name NOT GLOB '_cf_*'
        AND name NOT GLOB 'sqlite_*' ORDER BY name`,
    )
    .toArray()
    .map((row) => row["name"] as string);
}

/** Weighs up to `rows` rows as they are now. */
export async function weighPage(host: ShardAdminHost, argument: unknown): Promise<WeighPage> {
  const fields = fieldsOf(argument);
  let budget = positive(fields, "rows");
  const start = fields["position"] as WeighPosition | null;
  const { sql, engine } = host;
  const tables: Record<string, TableWeight> = {};
  for (const table of appTables(sql)) {
    if (start !== null && table < start.table) continue;
    let after: string | null = table === start?.table ? start.after : "";
    let total: TableWeight = { rows: 0, bytes: 0 };
    while (after !== null) {
      if (budget <= 0) {
        if (total.rows > 0) tables[table] = total;
        return { tables, bytes: null, position: { table, after } };
      }
      const limit = Math.min(SLICE_ROWS, budget);
      const [row] = sql
        .exec(
          `SELECT count(*) AS rows, total(bytes) AS bytes, max(id) AS last FROM (
            SELECT id, octet_length(id) + 8 + octet_length(doc) AS bytes FROM ${quoteName(table)} WHERE id > ?
            ORDER BY id LIMIT ${limit})`,
          after,
        )
        .toArray() as { rows: number; bytes: number; last: string | null }[];
      if (row === undefined || row.last === null) break;
      total = { rows: total.rows + row.rows, bytes: total.bytes + row.bytes };
      budget -= row.rows;
      after = row.rows < limit ? null : row.last;
      if (after !== null) await host.giveWay();
    }
    tables[table] = total;
  }
  return { tables, bytes: engine.insides.host.databaseSize(), position: null };
}
