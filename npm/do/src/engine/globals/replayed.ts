import type { SqlCursor, SqlStorage } from "../sql.ts";
import type { Table } from "../table.ts";
import type { FarRow, Statement } from "./d1-binding.ts";

/** Thrown through a reader that asks for what is not there yet. */
const SUSPENDED = Symbol("suspended");

/** An answer in the form of the local storage. */
export function cursorOf(rows: readonly FarRow[]): SqlCursor {
  return {
    rowsWritten: 0,
    toArray: () => [...rows],
    raw: () => rows.map((row) => Object.values(row)).values(),
    [Symbol.iterator]: () => rows.values(),
  };
}

/**
 * Runs a synchronous reader over a storage that is far away. What it asks for and is not there ends the run; it is
 * fetched, and the reader runs again from its start, with one answer more each time. So reads are written once, for a
 * storage that answers at once, and are the same for both.
 */
export async function replayed<Result>(
  fetch: (table: Table, statement: Statement) => Promise<readonly FarRow[]>,
  read: (far: (table: Table) => SqlStorage) => Result,
): Promise<Result> {
  const known = new Map<string, SqlCursor>();
  for (;;) {
    let missing: { readonly table: Table; readonly key: string; readonly statement: Statement } | undefined;
    const far = (table: Table): SqlStorage => ({
      exec: (text, ...bindings) => {
        const key = JSON.stringify([text, bindings]);
        const cursor = known.get(key);
        if (cursor !== undefined) return cursor;
        missing ??= { table, key, statement: { text, bindings } };
        throw SUSPENDED;
      },
    });
    try {
      return read(far);
    } catch (error) {
      if (error !== SUSPENDED || missing === undefined) throw error;
    }
    known.set(missing.key, cursorOf(await fetch(missing.table, missing.statement)));
  }
}
