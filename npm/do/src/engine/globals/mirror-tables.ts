import { quoteName } from "../sql.ts";
import type { Schema } from "../schema.ts";
import { Table } from "../table.ts";

/** What names of tables that hold copies begin with. No table of an app can. */
export const MIRROR_PREFIX = "__global_";

const mirrors = new WeakMap<Pick<Schema, "tables">, ReadonlyMap<string, Table>>();

/**
 * Tables for the copies of global rows, by the names of the global tables. They are called the same to subscribers and the
 * op-log, and have a name of their own in SQLite: a table of the object that once had the name keeps its rows.
 */
export function mirrorTables(schema: Pick<Schema, "tables">): ReadonlyMap<string, Table> {
  let tables = mirrors.get(schema);
  if (tables === undefined) {
    tables = new Map(
      [...schema.tables.values()]
        .filter(({ definition }) => definition.shardMode.kind === "global")
        .map((table) => [table.name, mirrorOf(table)]),
    );
    mirrors.set(schema, tables);
  }
  return tables;
}

/** Nothing is unique here: rows are the database's, and come in another order than they were written. */
function mirrorOf({ name, definition }: Table): Table {
  const { timeToLive: _, ...rest } = definition;
  const indexes = definition.indexes.map((index) => ({ ...index, unique: false }));
  return new Table(name, { ...rest, shardMode: { kind: "root" }, indexes, triggers: {} }, MIRROR_PREFIX + name);
}

/** The table in the database, for a statement. */
export function sourceOf({ name }: Table): string {
  return quoteName(name);
}

/** Another text when copies that are there are of no use any more. */
export function signatureOf(tables: ReadonlyMap<string, Table>): string {
  return JSON.stringify(
    Array.from(tables.values(), ({ name, projectionSignature }) => [name, projectionSignature]).sort(),
  );
}
