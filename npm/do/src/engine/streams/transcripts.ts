import type { ErrorBody } from "@lunora/errors";

import { LunoraError } from "@lunora/errors";

import { addColumn } from "../internal-table.ts";
import type { SqlStorage } from "../sql.ts";
import type { KnownRun } from "./choose-run.ts";
import { PLACE_BYTES, SWEEP_CHUNKS } from "./stream-limits.ts";

/** A run as it is stored. */
export interface StoredRun extends KnownRun {
  /** How it ended; absent while it runs and when it completed. */
  readonly error?: ErrorBody;
}

/** A chunk: its wire JSON, `null` for `undefined`. */
export type ChunkText = string | null;

const encoder = new TextEncoder();

/** Bytes of a chunk. */
export function bytesOf(chunk: ChunkText): number {
  return chunk === null ? 0 : encoder.encode(chunk).byteLength;
}

/** Characters of chunks that go into one statement, where what they hold is escaped once more. */
const STATEMENT_LENGTH = 400_000;

/** The runs of durable streams and their chunks, in tables that a shard without such streams does not have. */
export class Transcripts {
  readonly #storage: SqlStorage;
  readonly #keptBytes: number;
  readonly #onForgotten: (() => void) | undefined;
  #hasTables: boolean;
  /** What runs take that are not forgotten. */
  #bytes = 0;

  /** `keptBytes`: of all runs together. `onForgotten`: the sweep has something to do now. */
  constructor(storage: SqlStorage, keptBytes: number, onForgotten?: () => void) {
    this.#storage = storage;
    this.#keptBytes = keptBytes;
    this.#onForgotten = onForgotten;
    this.#hasTables =
      storage.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '__stream_run'").toArray().length > 0;
    if (!this.#hasTables) return;
    addColumn(storage, "__stream_run", "bytes", "INTEGER NOT NULL DEFAULT 0");
    const [row] = storage.exec("SELECT total(bytes) AS bytes FROM __stream_run").toArray();
    this.#bytes = row?.["bytes"] as number;
  }

  /** The newest run of the key that is kept still. */
  find(key: string, now: number): StoredRun | undefined {
    if (!this.#hasTables) return undefined;
    const [row] = this.#storage
      .exec("SELECT * FROM __stream_run WHERE key = ? AND (expires IS NULL OR expires > ?)", key, now)
      .toArray();
    if (row === undefined) return undefined;
    const { generation, chunks, error, expires } = row;
    return {
      generation: generation as string,
      chunks: chunks as number,
      isRunning: expires === null,
      ...(error === null ? {} : { error: JSON.parse(error as string) as ErrorBody }),
    };
  }

  /** A new run, in place of any other of the key. Throws `STREAM_TOO_LONG` where there is no room even for an empty one. */
  begin(key: string, generation: string, ttlMs: number, now: number): void {
    this.#create();
    const [other] = this.#storage.exec("SELECT generation, bytes FROM __stream_run WHERE key = ?", key).toArray();
    if (other !== undefined) this.#forget(other["generation"] as string, other["bytes"] as number, now);
    this.#makeRoom(PLACE_BYTES, now);
    this.#storage.exec(
      "INSERT INTO __stream_run(generation, key, chunks, ttl, error, expires, bytes) VALUES(?, ?, 0, ?, NULL, NULL, ?)",
      generation,
      key,
      ttlMs,
      PLACE_BYTES,
    );
    this.#bytes += PLACE_BYTES;
  }

  /** Nobody finds it any more, and its chunks go with the next sweep. */
  #forget(generation: string, bytes: number, now: number): void {
    this.#storage.exec(
      "UPDATE __stream_run SET key = NULL, expires = ?, bytes = 0 WHERE generation = ?",
      now,
      generation,
    );
    this.#bytes -= bytes;
  }

  /** Forgets runs that have ended, those first whose time is over first, until so many bytes have room. */
  #makeRoom(wanted: number, now: number): void {
    if (this.#bytes + wanted <= this.#keptBytes) return;
    while (this.#bytes + wanted > this.#keptBytes) {
      const [oldest] = this.#storage
        .exec(
          "SELECT generation, bytes FROM __stream_run WHERE expires IS NOT NULL AND bytes > 0 ORDER BY expires LIMIT 1",
        )
        .toArray();
      if (oldest === undefined)
        throw new LunoraError(
          "STREAM_TOO_LONG",
          `the durable streams of a shard keep at most ${this.#keptBytes} bytes together, and those that go on have them`,
          { data: { keptBytes: this.#keptBytes } },
        );
      this.#forget(oldest["generation"] as string, oldest["bytes"] as number, now);
    }
    this.#onForgotten?.();
  }

  #create(): void {
    if (this.#hasTables) return;
    this.#storage.exec(`CREATE TABLE IF NOT EXISTS __stream_run(generation TEXT PRIMARY KEY, key TEXT UNIQUE,
        chunks INTEGER NOT NULL, ttl INTEGER NOT NULL, error TEXT, expires INTEGER, bytes INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
      CREATE INDEX IF NOT EXISTS __stream_run_expires ON __stream_run(expires);
      CREATE TABLE IF NOT EXISTS __stream_chunk(generation TEXT NOT NULL, seq INTEGER NOT NULL, data TEXT,
        PRIMARY KEY(generation, seq)) WITHOUT ROWID`);
    this.#hasTables = true;
  }

  /** Stores chunks behind the first `after`. Throws `STREAM_TOO_LONG`, and has stored nothing, where runs that go on have all the room. */
  append(generation: string, after: number, chunks: readonly ChunkText[], now: number): void {
    const bytes = chunks.reduce((total, chunk) => total + bytesOf(chunk) + PLACE_BYTES, 0);
    this.#makeRoom(bytes, now);
    const length = chunks.reduce((total, chunk) => total + (chunk?.length ?? 0), 0);
    if (length > STATEMENT_LENGTH) {
      chunks.forEach((chunk, index) =>
        this.#storage.exec("INSERT INTO __stream_chunk VALUES(?, ?, ?)", generation, after + index + 1, chunk),
      );
    } else {
      this.#storage.exec(
        "INSERT INTO __stream_chunk(generation, seq, data) SELECT ?1, ?2 + key + 1, value FROM json_each(?3)",
        generation,
        after,
        JSON.stringify(chunks),
      );
    }
    this.#storage.exec(
      "UPDATE __stream_run SET chunks = ?, bytes = bytes + ? WHERE generation = ?",
      after + chunks.length,
      bytes,
      generation,
    );
    this.#bytes += bytes;
  }

  /** Up to `limit` chunks behind the first `after`. */
  read(generation: string, after: number, limit: number): ChunkText[] {
    return this.#storage
      .exec(
        "SELECT data FROM __stream_chunk WHERE generation = ? AND seq > ? ORDER BY seq LIMIT ?",
        generation,
        after,
        limit,
      )
      .toArray()
      .map(({ data }) => data as ChunkText);
  }

  end(generation: string, error: ErrorBody | undefined, now: number): void {
    this.#storage.exec(
      "UPDATE __stream_run SET error = ?, expires = ? + ttl WHERE generation = ?",
      error === undefined ? null : JSON.stringify(error),
      now,
      generation,
    );
  }

  /** No run outlives the object that ran it. */
  endAll(error: ErrorBody, now: number): void {
    if (!this.#hasTables) return;
    this.#storage.exec(
      "UPDATE __stream_run SET error = ?, expires = ? + ttl WHERE expires IS NULL",
      JSON.stringify(error),
      now,
    );
  }

  /** When the next run is to go; `null` when none is. */
  nextExpiry(): number | null {
    if (!this.#hasTables) return null;
    const [row] = this.#storage
      .exec("SELECT min(expires) AS time FROM __stream_run WHERE expires IS NOT NULL")
      .toArray();
    return (row?.["time"] ?? null) as number | null;
  }

  /** One bounded pass over what has expired; when the next is due. */
  sweep(now: number): number | null {
    if (!this.#hasTables) return null;
    const [row] = this.#storage
      .exec("SELECT generation, bytes FROM __stream_run WHERE expires <= ? ORDER BY expires LIMIT 1", now)
      .toArray();
    if (row !== undefined) {
      const generation = row["generation"] as string;
      // From its end on: whoever still reads it is told that it is gone, and never skips a chunk.
      this.#storage.exec(
        "DELETE FROM __stream_chunk WHERE generation = ?1 AND seq IN (SELECT seq FROM __stream_chunk WHERE generation = ?1 ORDER BY seq DESC LIMIT ?2)",
        generation,
        SWEEP_CHUNKS,
      );
      // A run goes after its chunks, so that none is left without one.
      if (this.read(generation, 0, 1).length === 0) {
        this.#storage.exec("DELETE FROM __stream_run WHERE generation = ?", generation);
        this.#bytes -= row["bytes"] as number;
      }
    }
    const next = this.nextExpiry();
    return next === null ? null : Math.max(next, now);
  }
}
