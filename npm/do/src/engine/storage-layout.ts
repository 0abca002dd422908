import { LunoraError } from "@lunora/errors";

import { createLedgerTables } from "./client-ledger.ts";
import { projectAgain } from "./document.ts";
import { readMeta, writeMeta } from "./meta.ts";
import type { Schema } from "./schema.ts";
import { createLogTables } from "./op-log.ts";
import { livesHere } from "./shard-scope.ts";
import type { ShardScope } from "./shard-scope.ts";
import { createSocketTables } from "./sockets/socket-store.ts";
import { quoteName } from "./sql.ts";
import type { SqlStorage } from "./sql.ts";
import type { Table } from "./table.ts";

/** Rows whose keys are computed again in one step. */
const PROJECTION_PAGE = 500;

/** Internal tables, known before any table of the app. */
export function createInternalTables(storage: SqlStorage): void {
  storage.exec(`CREATE TABLE IF NOT EXISTS __lunora_meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS __idempotency(identity TEXT NOT NULL, mutation_id TEXT NOT NULL, result TEXT NOT NULL, ts REAL NOT NULL,
      PRIMARY KEY(identity, mutation_id)) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS __idempotency_ts ON __idempotency(ts)`);
  createLogTables(storage);
  createLedgerTables(storage);
  createSocketTables(storage);
}

/**
 * Makes tables and indexes what the schema says. Rows are never touched, except for their sort
 * keys when the class of a column changed; an index is built again when its statement changed.
 * Tables that the schema no longer has stay, so that a table renamed by mistake loses nothing.
 */
export function applySchema(storage: SqlStorage, schema: Schema, scope: ShardScope): void {
  for (const table of schema.tables.values()) {
    if (!livesHere(scope, table)) continue;
    createTable(storage, table);
    projectKeys(storage, table);
    applyIndexes(storage, table);
  }
}

/** The rows of a table, without its indexes. */
export function createTable(storage: SqlStorage, table: Table): void {
  storage.exec(
    `CREATE TABLE IF NOT EXISTS ${table.quoted}(id TEXT PRIMARY KEY NOT NULL, _creationTime REAL NOT NULL, doc TEXT NOT NULL, keys TEXT)`,
  );
}

function projectKeys(storage: SqlStorage, table: Table): void {
  const key = `projections:${table.name}`;
  const before = readMeta(storage, key);
  if ((before ?? "") === table.projectionSignature) return;
  // Indexes over old keys would refuse the new ones half-way, and are rebuilt in any case.
  dropIndexes(storage, table, () => true);
  let last = "";
  for (;;) {
    const rows = storage
      .exec(`SELECT id, doc FROM ${table.quoted} WHERE id > ? ORDER BY id LIMIT ${PROJECTION_PAGE}`, last)
      .toArray();
    for (const row of rows) {
      storage.exec(
        `UPDATE ${table.quoted} SET keys = ? WHERE id = ?`,
        projectAgain(table, row["doc"] as string),
        row["id"] as string,
      );
      last = row["id"] as string;
    }
    if (rows.length < PROJECTION_PAGE) break;
  }
  writeMeta(storage, key, table.projectionSignature);
}

/** Declared indexes of the table that SQLite has, with their statements. */
function existingIndexes(storage: SqlStorage, table: Table): Map<string, string> {
  const rows = storage.exec(
    "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL",
    table.stored,
  );
  return new Map(rows.toArray().map((row) => [row["name"] as string, row["sql"] as string]));
}

/** Drops the declared indexes of the table that match. */
export function dropIndexes(
  storage: SqlStorage,
  table: Table,
  matches: (name: string, statement: string) => boolean,
): void {
  for (const [name, statement] of existingIndexes(storage, table)) {
    if (matches(name, statement)) storage.exec(`DROP INDEX ${quoteName(name)}`);
  }
}

/** Makes the indexes of the table what the schema says. */
export function applyIndexes(storage: SqlStorage, table: Table): void {
  const declared = new Map(
    [...table.indexes.values(), ...(table.expiryIndex ? [table.expiryIndex] : [])].map((index) => [
      index.sqlName,
      index,
    ]),
  );
  dropIndexes(storage, table, (name, statement) => declared.get(name)?.statement !== statement);
  const existing = existingIndexes(storage, table);
  for (const { sqlName, statement } of declared.values()) {
    if (existing.has(sqlName)) continue;
    try {
      storage.exec(statement);
    } catch (error) {
      if (!String(error).includes("UNIQUE constraint failed")) throw error;
      const index = [...table.indexes.values()].find((candidate) => candidate.sqlName === sqlName);
      const fields = index?.fields.map(({ field }) => field) ?? [];
      throw new LunoraError(
        "UNIQUE_INDEX_REFUSED",
        `the unique index \`${index?.name}\` of \`${table.name}\` cannot be built: rows share the same ${fields.map((field) => `\`${field}\``).join(", ")}`,
        { data: { table: table.name, index: index?.name, fields } },
      );
    }
  }
}
