import { keptMessage } from "./job-failure.ts";
import type { JobFailure } from "./job-failure.ts";
import type { SqlStorage } from "./sql.ts";

/** Jobs that were given up, kept to be looked at and tried again. */
export class DeadJobs {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS dead(
        id TEXT PRIMARY KEY NOT NULL, path TEXT NOT NULL, args TEXT NOT NULL, shard TEXT, retry TEXT, run_at REAL NOT NULL,
        attempts INTEGER NOT NULL, interruptions INTEGER NOT NULL, code TEXT, message TEXT, died_at REAL NOT NULL
      ) WITHOUT ROWID;
      CREATE INDEX IF NOT EXISTS dead_age ON dead(died_at)`);
  }

  has(id: string): boolean {
    return this.#sql.exec("SELECT 1 FROM dead WHERE id = ?", id).toArray().length > 0;
  }

  /** Gives a job up. */
  bury(id: string, failures: number, { code, message }: JobFailure, now: number): void {
    this.#sql.exec(
      `INSERT OR REPLACE INTO dead(id, path, args, shard, retry, run_at, attempts, interruptions, code, message, died_at)
        SELECT id, path, args, shard, retry, run_at, ?, interruptions, ?, ?, ? FROM jobs WHERE id = ?`,
      failures,
      code,
      keptMessage(message),
      now,
      id,
    );
    this.#sql.exec("DELETE FROM jobs WHERE id = ?", id);
  }

  /** Makes a dead job one that waits, with all its attempts before it. */
  revive(id: string, now: number): void {
    this.#sql.exec(
      `INSERT INTO jobs(id, path, args, shard, retry, run_at, next_at, code, message)
        SELECT id, path, args, shard, retry, run_at, ?, code, message FROM dead WHERE id = ?`,
      now,
      id,
    );
    this.#sql.exec("DELETE FROM dead WHERE id = ?", id);
  }

  /** Keeps the newest dead jobs, and none that died at `oldest` or before. Answers those that are gone. */
  forget(oldest: number, count: number): { readonly id: string; readonly shard: string | null }[] {
    const gone = this.#sql
      .exec(
        `SELECT id, shard FROM dead WHERE died_at <= ?
          UNION SELECT id, shard FROM (SELECT id, shard FROM dead ORDER BY died_at DESC, id LIMIT -1 OFFSET ?)`,
        oldest,
        count,
      )
      .toArray()
      .map((row) => ({ id: row["id"] as string, shard: row["shard"] as string | null }));
    if (gone.length > 0)
      this.#sql.exec(
        "DELETE FROM dead WHERE id IN (SELECT value FROM json_each(?))",
        JSON.stringify(gone.map(({ id }) => id)),
      );
    return gone;
  }

  /** When the oldest died; `null` without any. */
  oldestTime(): number | null {
    return (this.#sql.exec("SELECT min(died_at) AS time FROM dead").toArray()[0]?.["time"] ?? null) as number | null;
  }
}
