import { LunoraError } from "@lunora/errors";

import type { StoredRow } from "./document.ts";
import type { SqlStorage } from "./sql.ts";
import type { Table } from "./table.ts";

/** One change of one row. */
export interface Change {
  readonly table: Table;
  readonly id: string;
  /** `undefined`: the row was not there. */
  readonly before: StoredRow | undefined;
  /** `undefined`: the row is gone. */
  readonly after: StoredRow | undefined;
}

/**
 * Everything a mutation writes, in order. All writes of rows go through `apply`; whatever has to
 * happen in the same transaction as the rows happens where the list of changes is whole: `finish`.
 *
 * The list also undoes: a write that fails half-way, or a nested mutation that throws and is
 * caught, is taken back from the images before it, without a savepoint of SQLite.
 */
export class Commit {
  readonly #storage: SqlStorage;
  readonly #changes: Change[] = [];
  #isAbandoned = false;

  constructor(storage: SqlStorage) {
    this.#storage = storage;
  }

  get changes(): readonly Change[] {
    return this.#changes;
  }

  /** Where to undo to. */
  mark(): number {
    return this.#changes.length;
  }

  /** The transaction is gone: nothing may be written or undone in whatever comes after it. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#changes.length = 0;
  }

  apply(change: Change): void {
    if (this.#isAbandoned) throw new LunoraError("CTX_CLOSED", "the transaction of this write has ended");
    write(this.#storage, change.table, change.id, change.before, change.after);
    this.#changes.push(change);
  }

  /** Takes back every change since the mark, the newest first, so that unique indexes hold at each step. */
  undo(mark: number): void {
    while (this.#changes.length > mark) {
      const change = this.#changes.pop() as Change;
      write(this.#storage, change.table, change.id, change.after, change.before);
    }
  }
}

function write(
  storage: SqlStorage,
  table: Table,
  id: string,
  before: StoredRow | undefined,
  after: StoredRow | undefined,
): void {
  try {
    if (after === undefined) {
      storage.exec(`DELETE FROM ${table.quoted} WHERE id = ?`, id);
    } else if (before === undefined) {
      storage.exec(
        `INSERT INTO ${table.quoted}(id, _creationTime, doc, keys) VALUES(?, ?, ?, ?)`,
        id,
        after.creationTime,
        after.doc,
        after.keys,
      );
    } else {
      storage.exec(`UPDATE ${table.quoted} SET doc = ?, keys = ? WHERE id = ?`, after.doc, after.keys, id);
    }
  } catch (error) {
    throw asNotUnique(table, error) ?? error;
  }
}

/** SQLite's refusal as ours. It names the index: `UNIQUE constraint failed: index 'users__by_email'`. */
function asNotUnique(table: Table, error: unknown): LunoraError | undefined {
  const text = String(error);
  if (!text.includes("UNIQUE constraint failed")) return undefined;
  const sqlName = /index '((?:[^']|'')+)'/.exec(text)?.[1]?.replaceAll("''", "'");
  const index = [...table.indexes.values()].find((candidate) => candidate.sqlName === sqlName);
  const fields = index?.fields.map(({ field }) => field) ?? ["_id"];
  const names = fields.map((field) => `\`${field}\``).join(", ");
  return new LunoraError(
    "NOT_UNIQUE",
    index === undefined
      ? `a row of \`${table.name}\` already has this id`
      : `another row of \`${table.name}\` has the same ${names} (unique index \`${index.name}\`)`,
    { data: { table: table.name, index: index?.name ?? "_id", fields } },
  );
}
