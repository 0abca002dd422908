import type { OutboxSource } from "@lunora/runtime";

import type { SqlStorage } from "./sql.ts";

/** A mutation that ended, whose shard still remembers it. */
export interface Remembered {
  readonly shard: string;
  readonly ids: readonly string[];
}

/** What has been taken already, and what shards may forget. */
export class Ledgers {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS sources(shard TEXT PRIMARY KEY NOT NULL, timeline TEXT NOT NULL, seq INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS crons(name TEXT PRIMARY KEY NOT NULL, time REAL NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS ended(id TEXT PRIMARY KEY NOT NULL, shard TEXT NOT NULL, time REAL NOT NULL) WITHOUT ROWID;
      CREATE INDEX IF NOT EXISTS ended_time ON ended(time)`);
  }

  /** The last number taken from the shard; 0 for none of this timeline. */
  takenUpTo({ shard, timeline }: OutboxSource): number {
    const [row] = this.#sql.exec("SELECT seq FROM sources WHERE shard = ? AND timeline = ?", shard, timeline).toArray();
    return (row?.["seq"] ?? 0) as number;
  }

  tookUpTo({ shard, timeline }: OutboxSource, seq: number): void {
    this.#sql.exec("INSERT OR REPLACE INTO sources(shard, timeline, seq) VALUES(?, ?, ?)", shard, timeline, seq);
  }

  /** Whether a cron's time is new; from then on it and everything before is not. */
  isNewTick(name: string, time: number): boolean {
    const [row] = this.#sql.exec("SELECT time FROM crons WHERE name = ?", name).toArray();
    if (row !== undefined && (row["time"] as number) >= time) return false;
    this.#sql.exec("INSERT OR REPLACE INTO crons(name, time) VALUES(?, ?)", name, time);
    return true;
  }

  /** The mutation of a job has ended; its shard may forget it some time after. */
  ended(id: string, shard: string, now: number): void {
    this.#sql.exec("INSERT OR REPLACE INTO ended(id, shard, time) VALUES(?, ?, ?)", id, shard, now);
  }

  /** A job that is cancelled may have happened all the same, in a run that seemed to fail. */
  cancelled(id: string, now: number): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO ended(id, shard, time) SELECT id, shard, ? FROM jobs WHERE id = ? AND shard IS NOT NULL AND attempts + interruptions > 0",
      now,
      id,
    );
  }

  nextEndedTime(): number | null {
    return (this.#sql.exec("SELECT min(time) AS time FROM ended").toArray()[0]?.["time"] ?? null) as number | null;
  }

  /** Jobs of one shard that ended up to `time`. */
  remembered(time: number, limit: number): Remembered | undefined {
    const rows = this.#sql
      .exec("SELECT id, shard FROM ended WHERE time <= ? ORDER BY time LIMIT ?", time, limit)
      .toArray();
    const shard = rows[0]?.["shard"] as string | undefined;
    if (shard === undefined) return undefined;
    return { shard, ids: rows.filter((row) => row["shard"] === shard).map((row) => row["id"] as string) };
  }

  forgotten(ids: readonly string[]): void {
    this.#sql.exec("DELETE FROM ended WHERE id IN (SELECT value FROM json_each(?))", JSON.stringify(ids));
  }

  /** The shard could not be told. */
  postpone(ids: readonly string[], now: number): void {
    this.#sql.exec("UPDATE ended SET time = ? WHERE id IN (SELECT value FROM json_each(?))", now, JSON.stringify(ids));
  }
}
