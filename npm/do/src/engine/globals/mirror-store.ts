import { MIRROR_META, readMeta, removeMeta, writeMeta } from "../meta.ts";
import { quoteName } from "../sql.ts";
import type { SqlStorage } from "../sql.ts";
import { applyIndexes, createTable } from "../storage-layout.ts";
import type { Table } from "../table.ts";
import { MIRROR_PREFIX, signatureOf } from "./mirror-tables.ts";

/** What is known of the copies; absent when there are none. */
interface Kept {
  readonly signature: string;
  /** Up to which change of the database the copies are true. */
  readonly cursor: number | null;
  /** There may be rows that no kept condition holds for. */
  readonly hasStrays: boolean;
}

/** What an object remembers of its copies of global rows while it sleeps. */
export class MirrorStore {
  readonly #storage: SqlStorage;
  readonly #tables: ReadonlyMap<string, Table>;
  #kept: Kept | undefined;
  /** Names of conditions all of whose rows are there, as of the cursor. */
  readonly keys: Set<string> = new Set();
  /** The copies of before were of another schema, and are gone. */
  readonly isReset: boolean;

  constructor(storage: SqlStorage, tables: ReadonlyMap<string, Table>) {
    this.#storage = storage;
    this.#tables = tables;
    this.reload();
    this.isReset = this.#kept !== undefined && this.#kept.signature !== signatureOf(tables);
    if (!this.isReset) return;
    this.#drop();
    removeMeta(storage, MIRROR_META);
    this.reload();
  }

  #drop(): void {
    const storage = this.#storage;
    const names = storage.exec(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB ?",
      `${MIRROR_PREFIX}*`,
    );
    for (const { name } of names.toArray()) storage.exec(`DROP TABLE ${quoteName(name as string)}`);
    storage.exec("DROP TABLE IF EXISTS __mirrored_condition");
  }

  /** Reads what is stored: what was to be written may have been taken back. */
  reload(): void {
    const text = readMeta(this.#storage, MIRROR_META);
    this.#kept = text === undefined ? undefined : (JSON.parse(text) as Kept);
    this.keys.clear();
    if (text === undefined) return;
    for (const [key] of this.#storage.exec("SELECT key FROM __mirrored_condition").raw()) this.keys.add(key as string);
  }

  get cursor(): number | undefined {
    return this.#kept?.cursor ?? undefined;
  }

  get hasStrays(): boolean {
    return this.#kept?.hasStrays ?? false;
  }

  get isThere(): boolean {
    return this.#kept !== undefined;
  }

  /** Makes the tables. Answers whether the op-log has changes of tables of these names, from when they were the object's own. */
  create(): boolean {
    const storage = this.#storage;
    // Of a time before the app had no global tables.
    this.#drop();
    storage.exec("CREATE TABLE IF NOT EXISTS __mirrored_condition(key TEXT PRIMARY KEY) WITHOUT ROWID");
    for (const table of this.#tables.values()) {
      createTable(storage, table);
      applyIndexes(storage, table);
    }
    this.#write({ signature: signatureOf(this.#tables), cursor: null, hasStrays: false });
    const names = JSON.stringify([...this.#tables.keys()]);
    return (
      storage.exec(`SELECT 1 FROM __cdc_log WHERE "table" IN (SELECT value FROM json_each(?)) LIMIT 1`, names).toArray()
        .length > 0
    );
  }

  save(change: Partial<Omit<Kept, "signature">>): void {
    this.#write({ ...(this.#kept as Kept), ...change });
  }

  #write(kept: Kept): void {
    writeMeta(this.#storage, MIRROR_META, JSON.stringify(kept));
    this.#kept = kept;
  }

  add(key: string): void {
    this.#storage.exec("INSERT INTO __mirrored_condition(key) VALUES(?) ON CONFLICT DO NOTHING", key);
    this.keys.add(key);
  }

  remove(key: string): void {
    this.#storage.exec("DELETE FROM __mirrored_condition WHERE key = ?", key);
    this.keys.delete(key);
  }
}
