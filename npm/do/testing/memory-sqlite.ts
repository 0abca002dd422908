import sqlite from "node-sqlite3-wasm";

import type { SqlCursor, SqlStorage, SqlValue } from "../src/engine/sql.ts";

type Row = Record<string, SqlValue>;

/** Statements kept prepared. */
const STATEMENTS = 2_000;

const READS = /^\s*(SELECT|WITH|EXPLAIN|PRAGMA)\b/i;
const SEVERAL = /;\s*\S/;

/** A real SQLite in memory, in the form that Durable Objects offer. For simulations in Node. */
export class MemorySqlite implements SqlStorage {
  readonly #database = new sqlite.Database();
  readonly #statements = new Map<string, InstanceType<typeof sqlite.Statement>>();
  /** How many statements have run. */
  count = 0;

  exec(statement: string, ...bindings: SqlValue[]): SqlCursor {
    this.count += 1;
    if (bindings.length === 0 && SEVERAL.test(statement)) {
      this.#database.exec(statement);
      return cursorOf([], 0);
    }
    const prepared = this.#prepare(statement);
    const values = bindings.map((value) => (value instanceof ArrayBuffer ? new Uint8Array(value) : value));
    try {
      if (READS.test(statement)) return cursorOf(prepared.all(values) as Row[], 0);
      return cursorOf([], prepared.run(values).changes);
    } catch (error) {
      // A statement that failed cannot be run again here.
      this.#statements.delete(statement);
      try {
        prepared.finalize();
      } catch {
        // Tells the failure again.
      }
      throw error;
    }
  }

  #prepare(statement: string): InstanceType<typeof sqlite.Statement> {
    let prepared = this.#statements.get(statement);
    if (prepared !== undefined) return prepared;
    prepared = this.#database.prepare(statement);
    this.#statements.set(statement, prepared);
    for (const [oldest, other] of this.#statements) {
      if (this.#statements.size <= STATEMENTS) break;
      other.finalize();
      this.#statements.delete(oldest);
    }
    return prepared;
  }

  get isClosed(): boolean {
    return !this.#database.isOpen;
  }

  close(): void {
    for (const statement of this.#statements.values()) statement.finalize();
    this.#statements.clear();
    this.#database.close();
  }
}

function cursorOf(rows: Row[], rowsWritten: number): SqlCursor {
  return {
    rowsWritten,
    toArray: () => rows,
    raw: () => rows.map((row) => Object.values(row))[Symbol.iterator](),
    [Symbol.iterator]: () => rows[Symbol.iterator](),
  };
}
