import { LunoraError } from "@lunora/errors";

import { projectAgain } from "../document.ts";
import { pieces } from "../pieces.ts";
import type { Schema } from "../schema.ts";
import { quoteName } from "../sql.ts";
import type { Table } from "../table.ts";
import type { FarRow, Statement } from "./d1-binding.ts";
import { failureKind } from "./d1-failure.ts";

/** Grows when the internal tables change. */
const VERSION = 1;

/** Rows whose keys are computed again in one step. */
const PROJECTION_PAGE = 500;

const INTERNAL = [
  "CREATE TABLE IF NOT EXISTS __lunora_meta(name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID",
  'CREATE TABLE IF NOT EXISTS __lunora_changes(seq INTEGER PRIMARY KEY AUTOINCREMENT, "table" TEXT NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL)',
  "CREATE TABLE IF NOT EXISTS __lunora_idempotency(key TEXT PRIMARY KEY NOT NULL, result TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID",
  "CREATE INDEX IF NOT EXISTS __lunora_idempotency_at ON __lunora_idempotency(at)",
];

type Run = (statements: readonly Statement[]) => Promise<readonly (readonly FarRow[])[]>;

function plain(text: string): Statement {
  return { text, bindings: [] };
}

function setMeta(name: string, value: string): Statement {
  const text =
    "INSERT INTO __lunora_meta(name, value) VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value";
  return { text, bindings: [name, value] };
}

/** Tables of the schema whose rows are in D1. */
export function globalTables(schema: Schema): Table[] {
  const tables = [...schema.tables.values()].filter(({ isGlobal }) => isGlobal);
  for (const { name, definition } of tables) {
    if (definition.timeToLive === undefined) continue;
    throw new LunoraError(
      "SCHEMA_INVALID",
      `\`${name}\` has \`.ttl\` and is \`.global()\`: no object has its rows, so none removes them in time; delete them in a cron`,
      { data: { table: name } },
    );
  }
  return tables;
}

/**
 * Makes the tables and indexes of D1 what the schema says. Rows are never touched, except for their sort keys when the
 * class of a column changed. Versions of an app that run side by side share the database, so an index is dropped only where
 * its statement is another one, or where it would go on refusing rows that the schema allows.
 */
export async function applyGlobalSchema(run: Run, schema: Schema): Promise<void> {
  const tables = globalTables(schema);
  const layout = JSON.stringify([
    VERSION,
    tables.map((table) => [table.name, table.projectionSignature, indexesOf(table)]),
  ]);
  if ((await readMeta(run)).get("layout") === layout) return;
  const creations = tables.map(
    ({ quoted }) =>
      `CREATE TABLE IF NOT EXISTS ${quoted}(id TEXT PRIMARY KEY NOT NULL, _creationTime REAL NOT NULL, doc TEXT NOT NULL, keys TEXT)`,
  );
  await run([...INTERNAL, ...creations].map(plain));
  const meta = await readMeta(run);
  for (const table of tables) {
    const key = `projections:${table.name}`;
    if ((meta.get(key) ?? "") !== table.projectionSignature) await projectKeys(run, table, key);
    await applyIndexes(run, table);
  }
  await run([setMeta("layout", layout)]);
}

function indexesOf(table: Table): string[] {
  return [...table.indexes.values()].map(({ statement }) => statement);
}

async function readMeta(run: Run): Promise<Map<string, string>> {
  try {
    const [rows = []] = await run([plain("SELECT name, value FROM __lunora_meta")]);
    return new Map(rows.map(({ name, value }) => [name as string, value as string]));
  } catch (error) {
    if (failureKind(error) !== "layout") throw error;
    return new Map();
  }
}

/** Indexes of the table that D1 has, with their statements. */
async function existingIndexes(run: Run, table: Table): Promise<Map<string, string>> {
  const text = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL";
  const [rows = []] = await run([{ text, bindings: [table.name] }]);
  return new Map(rows.map(({ name, sql }) => [name as string, sql as string]));
}

function drop(name: string): Statement {
  return plain(`DROP INDEX IF EXISTS ${quoteName(name)}`);
}

async function projectKeys(run: Run, table: Table, key: string): Promise<void> {
  // Indexes over old keys would refuse the new ones half-way.
  const names = [...(await existingIndexes(run, table)).keys()];
  if (names.length > 0) await run(names.map(drop));
  let last = "";
  for (;;) {
    const text = `SELECT id, doc FROM ${table.quoted} WHERE id > ? ORDER BY id LIMIT ${PROJECTION_PAGE}`;
    const [rows = []] = await run([{ text, bindings: [last] }]);
    const keys = rows.map(({ id, doc }) => [id as string, projectAgain(table, doc as string), doc as string] as const);
    // A row that was written meanwhile has its new keys already.
    const update = `UPDATE ${table.quoted} SET keys = fresh.value ->> 1 FROM json_each(?) AS fresh WHERE ${table.quoted}.id = fresh.value ->> 0 AND ${table.quoted}.doc = fresh.value ->> 2`;
    for (const piece of pieces(keys)) await run([{ text: update, bindings: [JSON.stringify(piece)] }]);
    if (rows.length < PROJECTION_PAGE) break;
    last = rows.at(-1)?.["id"] as string;
  }
  await run([setMeta(key, table.projectionSignature)]);
}

async function applyIndexes(run: Run, table: Table): Promise<void> {
  const existing = await existingIndexes(run, table);
  const declared = new Map([...table.indexes.values()].map((index) => [index.sqlName, index]));
  for (const [name, statement] of existing) {
    const isInTheWay = declared.has(name)
      ? declared.get(name)?.statement !== statement
      : statement.startsWith("CREATE UNIQUE");
    if (!isInTheWay) continue;
    await run([drop(name)]);
    existing.delete(name);
  }
  for (const { name, sqlName, statement, fields } of declared.values()) {
    if (existing.has(sqlName)) continue;
    try {
      // Another isolate may be at it as well.
      await run([plain(statement.replace(" INDEX ", " INDEX IF NOT EXISTS "))]);
    } catch (error) {
      if (failureKind(error) !== "not unique") throw error;
      const names = fields.map(({ field }) => field);
      throw new LunoraError(
        "UNIQUE_INDEX_REFUSED",
        `the unique index \`${name}\` of \`${table.name}\` cannot be built: rows share the same ${names.map((field) => `\`${field}\``).join(", ")}`,
        { data: { table: table.name, index: name, fields: names } },
      );
    }
  }
}
