import { admin } from "./admin-client.ts";
import type { Loose } from "./loose.ts";
import type { TestWorker } from "./workerd.ts";

/** What the requests of a run add up to. */
export interface RunTotal {
  shards: number;
  rows: number;
  changed: number;
  failed: number;
  requests: number;
  readonly failures: Loose[];
}

export interface RunOptions {
  readonly direction?: "up" | "down";
  readonly run?: string;
  readonly batchSize?: number;
  readonly dryRun?: boolean;
}

/** Runs a migration to its end. `between` is waited for after each request. */
export async function migrate(
  worker: TestWorker,
  id: string,
  options: RunOptions = {},
  between: () => Promise<void> = async () => {},
): Promise<RunTotal> {
  const { direction = "up", run = "a run", ...rest } = options;
  const total: RunTotal = { shards: 0, rows: 0, changed: 0, failed: 0, requests: 0, failures: [] };
  let cursor: string | null = null;
  do {
    const page: Loose = await admin(worker, "migrate", { run, id, direction, cursor, ...rest });
    total.shards += page.shards;
    total.rows += page.rows;
    total.changed += page.changed;
    total.failed += page.failed;
    total.requests += 1;
    total.failures.push(...page.failures);
    cursor = page.cursor;
    await between();
  } while (cursor !== null);
  return total;
}

/** How far migrations have come, in all shards. */
export async function progress(worker: TestWorker): Promise<{ counts: Loose; migrations: Loose[]; failures: Loose[] }> {
  const counts: Loose = {};
  const migrations: Loose[] = [];
  const failures: Loose[] = [];
  let cursor: string | null = null;
  do {
    const page: Loose = await admin(worker, "migrate/status", { cursor });
    migrations.push(...page.migrations);
    failures.push(...page.failures);
    for (const [id, count] of Object.entries(page.counts as Record<string, Loose>)) {
      counts[id] ??= {};
      for (const [state, number] of Object.entries(count as Record<string, number>))
        counts[id][state] = (counts[id][state] ?? 0) + number;
    }
    cursor = page.cursor;
  } while (cursor !== null);
  return { counts, migrations, failures };
}
