import { LunoraError } from "@lunora/errors";

import type { StoredRow } from "./document.ts";
import type { RowCache } from "./row-cache.ts";
import type { JobChange } from "./scheduling/job-change.ts";
import type { SqlStorage } from "./sql.ts";
import { isStorageFailure } from "./storage-failure.ts";
import type { Table, TableIndex } from "./table.ts";

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
 * Everything a mutation writes, in order. All writes of rows go through `apply`, so that the op-log
 * and whoever listens to the shard have the whole list.
 *
 * The list also undoes, from the images before each change and without a savepoint of SQLite: a
 * write that fails half-way, a nested mutation that throws and is caught, a whole mutation of a
 * group whose other members stay.
 */
export class Commit {
  readonly #storage: SqlStorage;
  readonly #rows: RowCache | undefined;
  readonly #changes: Change[] = [];
  /** Jobs, each with how many changes there were before it. */
  readonly #jobs: { readonly change: JobChange; readonly place: number }[] = [];
  #isClosed = false;
  #failure: unknown;
  /** Of a mutation that may write to global tables: asked before each change, and before a job without one. */
  admit: ((change: Change | undefined) => void) | undefined;

  /** `rows` is kept true. */
  constructor(storage: SqlStorage, rows?: RowCache) {
    this.#storage = storage;
    this.#rows = rows;
  }

  get changes(): readonly Change[] {
    return this.#changes;
  }

  /** Jobs that are scheduled and cancelled, in order. */
  get jobs(): readonly JobChange[] {
    return this.#jobs.map(({ change }) => change);
  }

  /** Where to undo to. */
  mark(): number {
    return this.#changes.length + this.#jobs.length;
  }

  /** Why SQLite could not write: it may have rolled back the whole transaction on its own. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Takes back everything. Nothing may be written any more: what comes after belongs to others. */
  revoke(): void {
    this.undo(0);
    this.#isClosed = true;
  }

  /** The mutation has ended: nothing may be written any more. */
  close(): void {
    this.#isClosed = true;
  }

  /** Schedules or cancels with the transaction. */
  stage(change: JobChange): void {
    this.#assertOpen();
    this.admit?.(undefined);
    this.#jobs.push({ change, place: this.#changes.length });
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new LunoraError("CTX_CLOSED", "the transaction of this write has ended");
  }

  apply(change: Change): void {
    this.#assertOpen();
    // After a rollback of SQLite's own, a write would stand outside of every transaction.
    if (this.#failure !== undefined) throw this.#failure;
    (this.admit ?? refuseGlobal)(change);
    this.#write(change.table, change.id, change.before, change.after);
    this.#changes.push(change);
  }

  /** The changes, all of global tables, are committed elsewhere. */
  handOver(): void {
    this.#changes.length = 0;
  }

  /** Takes back every change since the mark, the newest first, so that unique indexes hold at each step. */
  undo(mark: number): void {
    while (this.mark() > mark) {
      if (this.#jobs.at(-1)?.place === this.#changes.length) {
        this.#jobs.pop();
        continue;
      }
      const { table, id, before, after } = this.#changes.at(-1) as Change;
      // Only then forgotten: the storage may have to bring the change back first.
      if (this.#failure === undefined) this.#write(table, id, after, before);
      this.#changes.pop();
    }
  }

  /** Takes the rows back to what they were, and remembers the changes: see `OpenWrites`. */
  takeAway(storage: SqlStorage): void {
    for (let index = this.#changes.length - 1; index >= 0; index -= 1) {
      const { table, id, before, after } = this.#changes[index] as Change;
      write(storage, table, id, after, before);
    }
  }

  /** Makes the changes again. */
  bringBack(storage: SqlStorage): void {
    for (const { table, id, before, after } of this.#changes) write(storage, table, id, before, after);
  }

  #write(table: Table, id: string, before: StoredRow | undefined, after: StoredRow | undefined): void {
    try {
      write(this.#storage, table, id, before, after);
      this.#rows?.set(table, id, after);
    } catch (error) {
      this.#rows?.set(table, id, undefined);
      const refusal = asNotUnique(table, error);
      if (refusal === undefined && isStorageFailure(error)) this.#failure = error;
      throw refusal ?? error;
    }
  }
}

/** What the store does by itself, a sweep or an edit, is in the shard's transaction. */
function refuseGlobal({ table }: Change): void {
  if (table.isGlobal) throw new LunoraError("GLOBAL_WRITE_MIXED", `\`${table.name}\` cannot be written from here`);
}

function write(
  storage: SqlStorage,
  table: Table,
  id: string,
  before: StoredRow | undefined,
  after: StoredRow | undefined,
): void {
  // Those are only listed.
  if (table.isGlobal) return;
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
}

/** SQLite's refusal as ours. It names the index: `UNIQUE constraint failed: index 'users__by_email'`. */
function asNotUnique(table: Table, error: unknown): LunoraError | undefined {
  const text = String(error);
  if (!text.includes("UNIQUE constraint failed")) return undefined;
  const sqlName = /index '((?:[^']|'')+)'/.exec(text)?.[1]?.replaceAll("''", "'");
  return notUnique(
    table,
    [...table.indexes.values()].find((candidate) => candidate.sqlName === sqlName),
  );
}

/** The refusal of a row that has the values of another one; without an index, its id. */
export function notUnique(table: Table, index: TableIndex | undefined): LunoraError {
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
