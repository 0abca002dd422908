import type { Commit } from "../commit.ts";
import type { StoredRow } from "../document.ts";
import { readRow } from "../rows.ts";
import type { SqlStorage, SqlValue } from "../sql.ts";
import type { Table } from "../table.ts";
import { MirrorConditions } from "./mirror-conditions.ts";
import type { MirroredCondition } from "./mirror-conditions.ts";
import type { ChangedRows } from "./mirror-reader.ts";
import { MirrorStore } from "./mirror-store.ts";

/** Rows, and characters of their documents, that one turn has in hand. */
export const TURN_ROWS = 500;
export const TURN_LENGTH = 4_000_000;

/** Ids of copies that are in hand at once. */
const LISTED_IDS = 20_000;

/** The cursor is stored when rows change, and when it has moved so far. */
const CURSOR_LAG = 1_000;

/** What the copies need of their shard. */
export interface CopyHost {
  readonly storage: SqlStorage;
  /**
   * Writes in a turn of its own, as the op-log and subscriptions see any other; `polled` are names of global tables that
   * changed, with rows that are copied or without.
   */
  write(write: (commit: Commit) => void, polled?: ReadonlySet<string>): Promise<void>;
  /** Positions of the op-log stop counting. */
  newTimeline(): void;
}

/** Cuts ids into lists whose rows are few and short enough for a turn. */
export function* pagesOf(sizes: Iterable<readonly [id: string, size: number]>): Generator<string[]> {
  let page: string[] = [];
  let length = 0;
  for (const [id, size] of sizes) {
    if (page.length > 0 && (page.length >= TURN_ROWS || length + size > TURN_LENGTH)) {
      yield page;
      page = [];
      length = 0;
    }
    page.push(id);
    length += size;
  }
  if (page.length > 0) yield page;
}

/**
 * The copies of global rows that an object has: those that its conditions hold for, each as it is in the database at
 * the cursor. Everything that changes them is a change of a `Commit`.
 */
export class MirrorCopy {
  readonly #host: CopyHost;
  readonly #store: MirrorStore;
  readonly #tables: ReadonlyMap<string, Table>;
  readonly conditions: MirrorConditions = new MirrorConditions();
  /** Up to which change of the database the copies are true. */
  cursor: number | undefined;

  constructor(host: CopyHost, tables: ReadonlyMap<string, Table>) {
    this.#host = host;
    this.#tables = tables;
    this.#store = new MirrorStore(host.storage, tables);
    this.cursor = this.#store.cursor;
    if (this.#store.isReset) host.newTimeline();
  }

  get tables(): ReadonlyMap<string, Table> {
    return this.#tables;
  }

  /** There may be copies to be looked after. */
  get isThere(): boolean {
    return this.#store.isThere && (this.#store.cursor !== undefined || this.#store.hasStrays);
  }

  /** There may be copies that no condition holds for. They are as true as the others. */
  get hasStrays(): boolean {
    return this.#store.hasStrays;
  }

  /** Tables that have copies, or are to. */
  get followed(): readonly Table[] {
    return this.#store.hasStrays ? [...this.#tables.values()] : this.conditions.tables;
  }

  /** Whether all rows of the condition were there when the object fell asleep. */
  hasKept(key: string): boolean {
    return this.#store.keys.has(key);
  }

  async #write(write: (commit: Commit) => void, polled?: ReadonlySet<string>): Promise<void> {
    try {
      await this.#host.write((commit) => {
        if (!this.#store.isThere && this.#store.create()) this.#host.newTimeline();
        write(commit);
      }, polled);
    } catch (error) {
      this.#store.reload();
      throw error;
    }
  }

  /** Lists of the ids of all copies; what is removed meanwhile makes no difference. */
  *pages(): Generator<readonly [Table, string[]]> {
    for (const table of this.#store.isThere ? this.#tables.values() : []) {
      let after: string | undefined = "";
      while (after !== undefined) {
        const rows: Iterable<SqlValue[]> = this.#host.storage
          .exec(`SELECT id, length(doc) FROM ${table.quoted} WHERE id > ? ORDER BY id LIMIT ${LISTED_IDS}`, after)
          .raw();
        const sizes: (readonly [string, number])[] = Array.from(rows, ([id, size]) => [id as string, size as number]);
        for (const page of pagesOf(sizes)) yield [table, page];
        after = sizes.length < LISTED_IDS ? undefined : sizes.at(-1)?.[0];
      }
    }
  }

  /** Those that are not copied. */
  missing(table: Table, ids: Iterable<string>): ReadonlySet<string> {
    if (!this.#store.isThere) return new Set(ids);
    const rows = this.#host.storage
      .exec(
        `SELECT value FROM json_each(?) WHERE value NOT IN (SELECT id FROM ${table.quoted})`,
        JSON.stringify([...ids]),
      )
      .raw();
    return new Set(Array.from(rows, ([id]) => id as string));
  }

  /** Makes the copies what the rows are, and moves the cursor; `isTrue`: the rest of the copies is, as of there. */
  async put({ rows, upTo }: ChangedRows, polled: ReadonlySet<string>, isTrue = true): Promise<void> {
    if (rows.size === 0) await this.#host.write(() => {}, polled);
    else
      await this.#write((commit) => {
        for (const [table, byId] of rows) {
          const present = [...byId.values()].filter((row) => row !== undefined);
          const kept = this.conditions.kept(this.#host.storage, table, present);
          for (const [id, row] of byId)
            this.#replace(commit, table, id, row !== undefined && kept.has(row) ? row : undefined);
        }
        // Those that wait for their rows may be given up.
        if (commit.changes.length > 0 && this.conditions.hasWaiting && !this.#store.hasStrays)
          this.#store.save({ hasStrays: true });
        const lag = upTo - (this.#store.cursor ?? upTo);
        if (isTrue && (commit.changes.length > 0 || lag >= CURSOR_LAG)) this.#store.save({ cursor: upTo });
      }, polled);
    this.cursor = upTo;
  }

  #replace(commit: Commit, table: Table, id: string, after: StoredRow | undefined): void {
    const before = readRow(this.#host, table, id);
    if (before === undefined && after === undefined) return;
    if (before?.doc === after?.doc && before?.creationTime === after?.creationTime) return;
    if (before !== undefined && after !== undefined && before.creationTime !== after.creationTime) {
      // Another row under the same id: an update leaves the time of creation as it is.
      commit.apply({ table, id, before, after: undefined });
      commit.apply({ table, id, before: undefined, after });
    } else commit.apply({ table, id, before, after });
  }

  /** Copies rows that are not copied yet; they are true as of the cursor. */
  async insert(table: Table, rows: readonly StoredRow[]): Promise<void> {
    await this.#write((commit) => {
      if (!this.#store.hasStrays) this.#store.save({ hasStrays: true });
      for (const row of rows)
        if (readRow(this.#host, table, row.id) === undefined)
          commit.apply({ table, id: row.id, before: undefined, after: row });
    });
  }

  /** All rows of the conditions are there, as of the cursor. `hadStrays`: there were others before they came. */
  async cover(conditions: readonly MirroredCondition[], hadStrays: boolean): Promise<void> {
    await this.#write(() => {
      for (const { key } of conditions) this.#store.add(key);
      this.#store.save({ cursor: this.cursor ?? null, hasStrays: hadStrays });
    });
  }

  /** Nobody needs the rows of these any more; they are removed by {@link MirrorCopy.prune}. */
  async forget(conditions: readonly MirroredCondition[]): Promise<void> {
    await this.#write(() => {
      for (const { key } of conditions) this.#store.remove(key);
      this.#store.save({ hasStrays: true });
    });
    for (const condition of conditions) this.conditions.remove(condition);
  }

  /** Whether there are conditions from before sleep that nobody has asked for since. */
  get hasOthers(): boolean {
    return this.#others().length > 0;
  }

  #others(): readonly string[] {
    return [...this.#store.keys].filter((key) => this.conditions.get(key) === undefined);
  }

  /** The same as {@link MirrorCopy.forget} for those. */
  async forgetOthers(): Promise<void> {
    const others = this.#others();
    if (others.length === 0) return;
    await this.#write(() => {
      for (const key of others) this.#store.remove(key);
      this.#store.save({ hasStrays: true });
    });
  }

  /** Removes copies that no condition holds for, a page a turn. */
  async prune(): Promise<void> {
    const { storage } = this.#host;
    for (const [table, ids] of this.pages()) {
      await this.#write((commit) => {
        const rows = ids.flatMap((id) => readRow(this.#host, table, id) ?? []);
        const kept = this.conditions.kept(storage, table, rows);
        for (const row of rows) if (!kept.has(row)) commit.apply({ table, id: row.id, before: row, after: undefined });
      });
    }
    await this.#write(() => this.#store.save({ hasStrays: false }));
  }

  /** There is nothing left that would have to be followed. */
  async rest(): Promise<void> {
    if (this.#store.cursor !== undefined) await this.#write(() => this.#store.save({ cursor: null }));
    this.cursor = undefined;
  }
}
