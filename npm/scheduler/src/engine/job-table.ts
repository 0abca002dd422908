import type { JobOrder } from "@lunora/runtime";
import type { JobPage, JobState, RetryOptions, ScheduledJob } from "@lunora/server";

import { keptMessage } from "./job-failure.ts";
import type { JobFailure } from "./job-failure.ts";
import type { SqlRow, SqlStorage } from "./sql.ts";

/** A job that is due, and what is known of its earlier runs. */
export interface DueJob {
  readonly order: JobOrder;
  /** Runs that failed. */
  readonly attempts: number;
  /** Runs that ended with the process. */
  readonly interruptions: number;
}

/** A job that may not run until a mutation has decided about it. */
export interface HeldJob {
  readonly id: string;
  readonly hold: string;
  readonly shard: string;
}

const COLUMNS = "id, path, args, shard, retry, run_at, attempts, interruptions, code, message";

/** Jobs that have not ended well yet. */
export class JobTable {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS jobs(
        id TEXT PRIMARY KEY NOT NULL, path TEXT NOT NULL, args TEXT NOT NULL, shard TEXT, retry TEXT, run_at REAL NOT NULL,
        next_at REAL NOT NULL, is_running INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,
        interruptions INTEGER NOT NULL DEFAULT 0, code TEXT, message TEXT, hold TEXT, holder TEXT, held_until REAL
      ) WITHOUT ROWID;
      CREATE INDEX IF NOT EXISTS jobs_due ON jobs(next_at) WHERE is_running = 0 AND hold IS NULL;
      CREATE INDEX IF NOT EXISTS jobs_running ON jobs(id) WHERE is_running = 1;
      CREATE INDEX IF NOT EXISTS jobs_held ON jobs(held_until) WHERE hold IS NOT NULL`);
  }

  /** One that is there already stays as it is. */
  add({ id, functionPath, args, shard, retry, runAt }: JobOrder): void {
    this.#sql.exec(
      "INSERT OR IGNORE INTO jobs(id, path, args, shard, retry, run_at, next_at) VALUES(?, ?, ?, ?, ?, ?6, ?6)",
      id,
      functionPath,
      JSON.stringify(args),
      shard,
      retry === undefined ? null : JSON.stringify(retry),
      runAt,
    );
  }

  /** Those that have waited longest first. */
  due(now: number, limit: number): DueJob[] {
    return this.#sql
      .exec(
        `SELECT ${COLUMNS} FROM jobs WHERE is_running = 0 AND hold IS NULL AND next_at <= ? ORDER BY next_at LIMIT ?`,
        now,
        limit,
      )
      .toArray()
      .map((row) => ({
        order: orderOf(row),
        attempts: row["attempts"] as number,
        interruptions: row["interruptions"] as number,
      }));
  }

  /** When the next wants to run; `null` for never. */
  nextTime(): number | null {
    return this.#time("SELECT min(next_at) AS time FROM jobs WHERE is_running = 0 AND hold IS NULL");
  }

  /** When somebody has to be asked about a hold. */
  nextHoldTime(): number | null {
    return this.#time("SELECT min(held_until) AS time FROM jobs WHERE hold IS NOT NULL");
  }

  #time(statement: string): number | null {
    return (this.#sql.exec(statement).toArray()[0]?.["time"] ?? null) as number | null;
  }

  start(id: string): void {
    this.#sql.exec("UPDATE jobs SET is_running = 1 WHERE id = ?", id);
  }

  /** Runs whose process has ended. They wait again. */
  interruptAll(now: number): void {
    this.#sql.exec(
      "UPDATE jobs SET is_running = 0, interruptions = interruptions + 1, next_at = ? WHERE is_running = 1",
      now,
    );
  }

  remove(id: string): void {
    this.#sql.exec("DELETE FROM jobs WHERE id = ?", id);
  }

  retryAt(id: string, time: number, { code, message }: JobFailure): void {
    this.#sql.exec(
      "UPDATE jobs SET is_running = 0, attempts = attempts + 1, next_at = ?, code = ?, message = ? WHERE id = ?",
      time,
      code,
      keptMessage(message),
      id,
    );
  }

  /** Does not wait any longer. */
  hasten(id: string, now: number): void {
    this.#sql.exec("UPDATE jobs SET next_at = min(next_at, ?) WHERE id = ?", now, id);
  }

  /** Whether it waits, runs, or is held, by whom. */
  find(
    id: string,
  ): { readonly isRunning: boolean; readonly hold: string | null; readonly holder: string | null } | null {
    const [row] = this.#sql.exec("SELECT is_running, hold, holder FROM jobs WHERE id = ?", id).toArray();
    if (row === undefined) return null;
    return {
      isRunning: row["is_running"] === 1,
      hold: row["hold"] as string | null,
      holder: row["holder"] as string | null,
    };
  }

  hold(id: string, hold: string, shard: string, until: number): void {
    this.#sql.exec("UPDATE jobs SET hold = ?, holder = ?, held_until = ? WHERE id = ?", hold, shard, until, id);
  }

  /** Jobs whose hold nobody has decided in time. */
  oldHolds(now: number, limit: number): HeldJob[] {
    return this.#sql
      .exec("SELECT id, hold, holder FROM jobs WHERE hold IS NOT NULL AND held_until <= ? LIMIT ?", now, limit)
      .toArray()
      .map((row) => ({ id: row["id"] as string, hold: row["hold"] as string, shard: row["holder"] as string }));
  }

  extendHold(hold: string, until: number): void {
    this.#sql.exec("UPDATE jobs SET held_until = ? WHERE hold = ?", until, hold);
  }

  release(holds: readonly string[]): void {
    this.#sql.exec(
      "UPDATE jobs SET hold = NULL, holder = NULL, held_until = NULL WHERE hold IN (SELECT value FROM json_each(?))",
      JSON.stringify(holds),
    );
  }

  /** The hold has become final. */
  removeHeld(id: string, hold: string): void {
    this.#sql.exec("DELETE FROM jobs WHERE id = ? AND hold = ?", id, hold);
  }

  /** Arguments stay wire-encoded. */
  get(id: string): ScheduledJob | null {
    const [row] = this.#sql
      .exec(
        `SELECT ${COLUMNS}, is_running AS state FROM jobs WHERE id = ?1 UNION ALL SELECT ${COLUMNS}, 2 FROM dead WHERE id = ?1`,
        id,
      )
      .toArray();
    return row === undefined ? null : jobOf(row);
  }

  list(dead: boolean, after: string, limit: number): JobPage {
    const state = dead ? "2 AS state" : "is_running AS state";
    const jobs = this.#sql
      .exec(
        `SELECT ${COLUMNS}, ${state} FROM ${dead ? "dead" : "jobs"} WHERE id > ? ORDER BY id LIMIT ?`,
        after,
        limit + 1,
      )
      .toArray()
      .map(jobOf);
    const page = jobs.slice(0, limit);
    return { jobs: page, cursor: jobs.length > limit ? (page.at(-1)?.id ?? null) : null };
  }
}

function orderOf(row: SqlRow): JobOrder {
  const retry = row["retry"] as string | null;
  return {
    id: row["id"] as string,
    functionPath: row["path"] as string,
    args: JSON.parse(row["args"] as string),
    runAt: row["run_at"] as number,
    shard: row["shard"] as string | null,
    ...(retry === null ? {} : { retry: JSON.parse(retry) as RetryOptions }),
  };
}

const STATES: readonly JobState[] = ["waiting", "running", "dead"];

function jobOf(row: SqlRow): ScheduledJob {
  const code = row["code"] as string | null;
  return {
    id: row["id"] as string,
    functionPath: row["path"] as string,
    args: JSON.parse(row["args"] as string),
    state: STATES[row["state"] as number] ?? "waiting",
    runAt: row["run_at"] as number,
    attempts: row["attempts"] as number,
    ...(code === null ? {} : { error: { code, message: row["message"] as string } }),
  };
}
