import type { LookedAtJob, LookedAtJobs } from "@lunora/runtime";

import type { SqlRow, SqlStorage } from "./sql.ts";

/** Characters of jobs after which a page takes no more of them. */
const PAGE_LENGTH = 4_000_000;

/** Jobs that wait or run come first, then those that were given up; each by their ids. */
const PLACES = ["jobs", "dead"] as const;

interface Place {
  readonly table: (typeof PLACES)[number];
  readonly after: string;
}

function toCursor({ table, after }: Place): string {
  return `${table}:${after}`;
}

function readCursor(cursor: string | null): Place | undefined {
  if (cursor === null) return { table: "jobs", after: "" };
  const table = PLACES.find((name) => cursor.startsWith(`${name}:`));
  return table === undefined ? undefined : { table, after: cursor.slice(table.length + 1) };
}

function jobOf(row: SqlRow): LookedAtJob {
  const code = row["code"] as string | null;
  return {
    id: row["id"] as string,
    functionPath: row["path"] as string,
    args: JSON.parse(row["args"] as string),
    state: row["state"] as LookedAtJob["state"],
    dueAt: row["due_at"] as number,
    attempt: row["attempts"] as number,
    object: row["shard"] as string | null,
    ...(code === null ? {} : { lastError: { code, message: row["message"] as string } }),
  };
}

function read(sql: SqlStorage, { table, after }: Place, limit: number): LookedAtJob[] {
  const [state, dueAt] =
    table === "jobs" ? ["iif(is_running = 1, 'running', 'waiting')", "next_at"] : ["'dead'", "run_at"];
  return sql
    .exec(
      `SELECT id, path, args, shard, attempts, code, message, ${state} AS state, ${dueAt} AS due_at FROM ${table} WHERE id > ? ORDER BY id LIMIT ?`,
      after,
      limit,
    )
    .toArray()
    .map(jobOf);
}

/** A page of all jobs, and how far crons have come. All of it is of one moment. `null` for a cursor that no page had. */
export function lookAtJobs(sql: SqlStorage, cursor: string | null, limit: number): LookedAtJobs | null {
  const from = readCursor(cursor);
  if (from === undefined) return null;
  const jobs: LookedAtJob[] = [];
  let next: string | null = null;
  let length = 0;
  for (const table of PLACES.slice(PLACES.indexOf(from.table))) {
    let after = table === from.table ? from.after : "";
    // One more than fits tells whether any follows.
    for (const job of read(sql, { table, after }, limit - jobs.length + 1)) {
      if (jobs.length === limit || length > PAGE_LENGTH) {
        next = toCursor({ table, after });
        break;
      }
      jobs.push(job);
      length += JSON.stringify(job).length;
      after = job.id;
    }
    if (next !== null) break;
  }
  const crons = sql
    .exec("SELECT name, time FROM crons ORDER BY name")
    .toArray()
    .map((row) => ({ name: row["name"] as string, lastAt: row["time"] as number }));
  return { jobs, cursor: next, crons };
}
