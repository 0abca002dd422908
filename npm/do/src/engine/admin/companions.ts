import { RESULT_LIFETIME } from "../idempotency.ts";
import type { SqlStorage, SqlValue } from "../sql.ts";
import { quoteName, quoteText } from "../sql.ts";

/**
 * What rides along with a shard's rows, so that clients find their sequences where they left them: a client whose next
 * position is 57 must not meet a shard that expects 1, and what was acknowledged must not happen twice.
 */
export const COMPANIONS: readonly string[] = [
  "__client_watermark",
  "__push_result",
  "__idempotency",
  "__forgotten_entry",
  "__lunora_migrations",
];

/** What has run over rows that are there says nothing of those that come: it is not merged. */
export const NOT_MERGED = "__lunora_migrations";

/** A row of one of them, by column. */
export type CompanionRow = Readonly<Record<string, SqlValue>>;

function columnsOf(storage: SqlStorage, table: string): string[] {
  return storage
    .exec(`PRAGMA table_info(${quoteName(table)})`)
    .toArray()
    .map((row) => row["name"] as string);
}

/** For each table a statement that selects its rows, each as the JSON of a line of the dump. */
export function companionSelects(storage: SqlStorage, now: number): string[] {
  return COMPANIONS.filter((table) => columnsOf(storage, table).length > 0).map((table) => {
    const fields = columnsOf(storage, table).map((name) => `${quoteText(name)}, ${quoteName(name)}`);
    const live = table === "__idempotency" ? ` WHERE ts > ${now - RESULT_LIFETIME}` : "";
    return `SELECT json_object('kind', 'companion', 'table', ${quoteText(table)}, 'row', json_object(${fields.join(", ")})) AS line FROM ${table}${live}`;
  });
}

/** Writes a row that came along. A watermark never falls, whatever the dump says. */
export function writeCompanion(storage: SqlStorage, table: string, row: CompanionRow): void {
  const names = columnsOf(storage, table).filter((name) => Object.hasOwn(row, name));
  const condition =
    table === "__client_watermark" ? " WHERE excluded.last_mutation_id > __client_watermark.last_mutation_id" : "";
  const sets = names.map((name) => `${quoteName(name)} = excluded.${quoteName(name)}`);
  storage.exec(
    `INSERT INTO ${table}(${names.map(quoteName).join(", ")}) VALUES(${names.map(() => "?").join(", ")})
      ON CONFLICT DO UPDATE SET ${sets.join(", ")}${condition}`,
    ...names.map((name) => row[name] as SqlValue),
  );
}
