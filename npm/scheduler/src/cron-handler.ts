import { callObject, jobOrder } from "@lunora/runtime";
import type { CronJob, CronJobs, Environment, JobReference, LunoraDefinition } from "@lunora/server";

import { reachScheduler } from "./reach-scheduler.ts";

/** As much of the platform's event as is looked at. */
export interface CronTick {
  /** The expression whose time has come. */
  readonly cron: string;
  /** Epoch milliseconds. */
  readonly scheduledTime: number;
}

/** The `scheduled()` of a worker. */
export type CronHandler = (tick: CronTick, env: Environment) => Promise<void>;

const known = new WeakMap<LunoraDefinition, CronJobs>();

/** The crons that a handler was made for. */
export function cronsOf(definition: LunoraDefinition): readonly CronJob[] {
  return known.get(definition)?.jobs ?? [];
}

/**
 * Hands the jobs of a time to the scheduler, which tries them again when they fail. The same time told twice counts
 * once for each name.
 */
export function createCronHandler(definition: LunoraDefinition, crons: CronJobs): CronHandler {
  known.set(definition, crons);
  return async ({ cron, scheduledTime }, env) => {
    const jobs = crons.jobs
      .filter(({ expression }) => expression === cron)
      .map(({ name, reference, args }) => ({
        name,
        job: jobOrder(definition, `cron:${name}:${scheduledTime}`, scheduledTime, reference as JobReference, args),
      }));
    if (jobs.length === 0) {
      console.warn(`[lunora] no cron of \`lunora/crons.ts\` runs at \`${cron}\`; remove it from \`triggers.crons\``);
      return;
    }
    await callObject(
      () => reachScheduler(definition, env),
      (scheduler) => scheduler.tick(jobs, scheduledTime),
      true,
    );
  };
}
