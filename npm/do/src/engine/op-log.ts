import type { Change } from "./commit.ts";
import { projectAgain } from "./document.ts";
import type { StoredRow } from "./document.ts";
import type { LoggedChange } from "./live/live-host.ts";
import type { Schema } from "./schema.ts";
import type { SqlStorage, SqlValue } from "./sql.ts";
import type { Table } from "./table.ts";

/** Longest image that stays in its log row, characters; a longer one is cut into chunk rows. */
const IMAGE_LENGTH = 65_536;

/** Longest piece of an image, characters: at most three times as many bytes. */
const CHUNK_LENGTH = 262_144;

/** Most changes, and characters of images, that are read back at once. */
const READ_ROWS = 20_000;
const READ_LENGTH = 32_000_000;

/** Changes that one statement takes, and about how many characters of JSON. */
const STATEMENT_ROWS = 500;
const STATEMENT_LENGTH = 250_000;

/** With no more changes than this a statement each is cheaper than going through JSON. */
const SINGLE_ROWS = 4;

const COLUMNS = `ts, "table", id, op, creation_time, doc, before`;

export function createLogTables(storage: SqlStorage): void {
  storage.exec(`CREATE TABLE IF NOT EXISTS __cdc_log(seq INTEGER PRIMARY KEY AUTOINCREMENT, ts REAL NOT NULL, "table" TEXT NOT NULL,
      id TEXT NOT NULL, op TEXT NOT NULL, creation_time REAL NOT NULL, doc TEXT, before TEXT);
    CREATE TABLE IF NOT EXISTS __cdc_chunk(seq INTEGER NOT NULL, image TEXT NOT NULL, part INTEGER NOT NULL, text TEXT NOT NULL,
      PRIMARY KEY(seq, image, part)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS __cdc_meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID`);
}

type Image = "doc" | "before";

interface Held {
  readonly table: Table;
  readonly id: string;
  readonly before: StoredRow | undefined;
  after: StoredRow | undefined;
}

function operationOf({ before, after }: Change): "insert" | "update" | "delete" {
  return before === undefined ? "insert" : after === undefined ? "delete" : "update";
}

/**
 * The shard's log of row changes, in the order of their commits. A row's images are kept before and
 * after, so that whoever reads knows what a change took away as well.
 */
export class OpLog {
  readonly #storage: SqlStorage;
  readonly #schema: Pick<Schema, "tables">;
  #epoch: string;
  #head: number;
  #floor: number;
  /** The first position that somebody still reads; set by who does. */
  keptFrom: () => number = () => Infinity;

  /** `object` is the id of the object that the storage belongs to. */
  constructor(storage: SqlStorage, schema: Pick<Schema, "tables">, object: string) {
    this.#storage = storage;
    this.#schema = schema;
    const [row] = storage
      .exec(
        "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = '__cdc_log'), 0) AS assigned, coalesce((SELECT max(seq) FROM __cdc_log), 0) AS head, (SELECT min(seq) FROM __cdc_log) AS floor",
      )
      .toArray();
    const assigned = row?.["assigned"] as number;
    this.#head = assigned;
    this.#floor = (row?.["floor"] ?? assigned + 1) as number;
    this.#epoch = readLogMeta(storage, "epoch") ?? "";
    // Another object's storage was put here, or the log's newest rows are gone: positions given out
    // before may come to mean something else.
    const isForked = readLogMeta(storage, "object") !== object || assigned !== row?.["head"];
    if (this.#epoch === "" || isForked) {
      this.renewEpoch();
      writeLogMeta(storage, "object", object);
    }
  }

  get epoch(): string {
    return this.#epoch;
  }

  /** The newest position; 0 before the first change. */
  get head(): number {
    return this.#head;
  }

  /** The oldest position that is kept; `head + 1` when there is none. */
  get floor(): number {
    return this.#floor;
  }

  /** How many changes are kept. */
  get length(): number {
    return this.#head - this.#floor + 1;
  }

  /** Starts another timeline: every position given out before stops counting. */
  renewEpoch(): void {
    this.#epoch = crypto.randomUUID();
    // The log of the other timeline vouches for nothing.
    const [row] = this.#storage.exec("SELECT max(seq) AS head FROM __cdc_log").toArray();
    const newest = row?.["head"] ?? null;
    if (newest !== null && newest !== this.#head) {
      this.#storage.exec("DELETE FROM __cdc_log");
      this.#storage.exec("DELETE FROM __cdc_chunk");
      this.#floor = this.#head + 1;
    }
    writeLogMeta(this.#storage, "epoch", this.#epoch);
  }

  /** Writes the changes of a group, as part of its transaction. */
  append(changes: readonly Change[], now: number): void {
    if (changes.length <= SINGLE_ROWS) {
      for (const [index, change] of changes.entries()) this.#appendOne(change, this.#head + index + 1, now);
    } else {
      this.#appendMany(changes, now);
    }
    this.#head += changes.length;
  }

  /** The transaction that `append` was part of is gone. */
  rewind(head: number): void {
    this.#head = head;
  }

  #appendOne(change: Change, seq: number, now: number): void {
    const { table, id, before, after } = change;
    this.#storage.exec(
      `INSERT INTO __cdc_log(${COLUMNS}) VALUES(?, ?, ?, ?, ?, ?, ?)`,
      now,
      table.name,
      id,
      operationOf(change),
      (after ?? before)?.creationTime as number,
      inline(after),
      inline(before),
    );
    this.#writeChunks(seq, change);
  }

  #appendMany(changes: readonly Change[], now: number): void {
    let rows: unknown[] = [];
    let length = 0;
    const flush = (): void => {
      // `json_each` walks an array in its order, so `seq` follows the order of the changes.
      this.#storage.exec(
        `INSERT INTO __cdc_log(${COLUMNS}) SELECT ?, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?)`,
        now,
        JSON.stringify(rows),
      );
      rows = [];
      length = 0;
    };
    let seq = this.#head;
    for (const change of changes) {
      const { table, id, before, after } = change;
      const doc = inline(after);
      const previous = inline(before);
      rows.push([table.name, id, operationOf(change), (after ?? before)?.creationTime, doc, previous]);
      length += (doc?.length ?? 0) + (previous?.length ?? 0);
      seq += 1;
      this.#writeChunks(seq, change);
      if (rows.length >= STATEMENT_ROWS || length >= STATEMENT_LENGTH) flush();
    }
    if (rows.length > 0) flush();
  }

  #writeChunks(seq: number, { before, after }: Change): void {
    if (after !== undefined && after.doc.length > IMAGE_LENGTH) this.#writeImage(seq, "doc", after.doc);
    if (before !== undefined && before.doc.length > IMAGE_LENGTH) this.#writeImage(seq, "before", before.doc);
  }

  #writeImage(seq: number, image: Image, text: string): void {
    for (let part = 0, start = 0; start < text.length; part += 1) {
      let end = Math.min(start + CHUNK_LENGTH, text.length);
      // Half a surrogate pair would not survive UTF-8.
      if (end < text.length && isHighSurrogate(text.charCodeAt(end - 1))) end -= 1;
      this.#storage.exec(
        "INSERT INTO __cdc_chunk(seq, image, part, text) VALUES(?, ?, ?, ?)",
        seq,
        image,
        part,
        text.slice(start, end),
      );
      start = end;
    }
  }

  /** An image that is not in its log row, since it is too long. */
  readImage(seq: number, image: Image): string {
    return this.#storage
      .exec("SELECT text FROM __cdc_chunk WHERE seq = ? AND image = ? ORDER BY part", seq, image)
      .toArray()
      .map((row) => row["text"] as string)
      .join("");
  }

  /** See `LiveHost.changesSince`. */
  changesSince(seq: number): LoggedChange[] | undefined {
    if (!Number.isSafeInteger(seq) || seq < this.#floor - 1 || seq > this.#head || this.#head - seq > READ_ROWS)
      return undefined;
    const held = new Map<string, Held>();
    let length = 0;
    // Read to the end before anything else is asked.
    const rows = [
      ...this.#storage
        .exec(`SELECT seq, "table", id, op, creation_time, doc, before FROM __cdc_log WHERE seq > ? ORDER BY seq`, seq)
        .raw(),
    ];
    for (const [position, name, id, operation, creationTime, doc, before] of rows) {
      const table = this.#schema.tables.get(name as string);
      // Rows of a table that is no longer in the schema are nobody's.
      if (table === undefined) continue;
      const image = (text: SqlValue | undefined, which: Image): StoredRow => {
        const full = (text ?? this.readImage(position as number, which)) as string;
        length += full.length;
        return {
          id: id as string,
          creationTime: creationTime as number,
          doc: full,
          keys: projectAgain(table, full),
        };
      };
      const after = operation === "delete" ? undefined : image(doc, "doc");
      const key = `${name as string}\u0000${id as string}`;
      const earlier = held.get(key);
      const first =
        earlier === undefined ? (operation === "insert" ? undefined : image(before, "before")) : earlier.before;
      if (length > READ_LENGTH) return undefined;
      // Placed again, so that the order is that of the last changes.
      held.delete(key);
      held.set(key, { table, id: id as string, before: first, after });
    }
    return [...held.values()].filter(({ before, after }) => before !== undefined || after !== undefined);
  }

  /** When the oldest change that is kept was made, epoch milliseconds. */
  oldestTime(): number | null {
    const [row] = this.#storage.exec("SELECT ts FROM __cdc_log ORDER BY seq LIMIT 1").toArray();
    return (row?.["ts"] ?? null) as number | null;
  }

  /** The time of the change at a position. */
  timeOf(seq: number): number | null {
    const [row] = this.#storage.exec("SELECT ts FROM __cdc_log WHERE seq = ?", seq).toArray();
    return (row?.["ts"] ?? null) as number | null;
  }

  /** The first position in the range whose change is younger; `to + 1` when none is. Times do not fall along the log. */
  firstAfter(time: number, from: number, to: number): number {
    let low = from;
    let high = to + 1;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((this.timeOf(middle) ?? 0) > time) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Forgets what is before the position and read by nobody. It has to be at most the head: the newest change stays. */
  trim(upTo: number): void {
    const position = Math.min(upTo, this.keptFrom());
    if (position <= this.#floor) return;
    this.#storage.exec("DELETE FROM __cdc_log WHERE seq < ?", position);
    this.#storage.exec("DELETE FROM __cdc_chunk WHERE seq < ?", position);
    this.#floor = position;
  }
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

/** The image as it stands in its log row; `null` when there is none or it stands in chunks. */
function inline(row: StoredRow | undefined): string | null {
  return row === undefined || row.doc.length > IMAGE_LENGTH ? null : row.doc;
}

function readLogMeta(storage: SqlStorage, key: string): string | undefined {
  const [row] = storage.exec("SELECT value FROM __cdc_meta WHERE key = ?", key).toArray();
  return row?.["value"] as string | undefined;
}

function writeLogMeta(storage: SqlStorage, key: string, value: string): void {
  storage.exec(
    "INSERT INTO __cdc_meta(key, value) VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value",
    key,
    value,
  );
}
