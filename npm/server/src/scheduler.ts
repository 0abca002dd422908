import type { ArgumentsOf, FunctionReference } from "@lunora/protocol";

import type { Environment } from "./context.ts";
import type { CronJob } from "./cron-jobs.ts";
import type { LunoraDefinition } from "./definition.ts";

/** What can be scheduled: a mutation, which happens exactly once, or an action, which runs at least once. */
export type JobReference = FunctionReference<"mutation"> | FunctionReference<"action">;

/** How often a job that fails is tried, and how long it waits between. */
export interface RetryOptions {
  /** Runs altogether; 5 when left out, 1 for none but the first. */
  readonly maxAttempts?: number;
  /** The wait after the first failure, milliseconds; it doubles with each. 30,000 when left out. */
  readonly baseMs?: number;
  /** The longest wait, milliseconds; an hour when left out. */
  readonly maxMs?: number;
}

export interface ScheduleOptions {
  readonly retry?: RetryOptions;
}

/** Arguments and options of a job; both may be left out when the function requires nothing. */
export type JobArguments<Reference extends JobReference> =
  {} extends ArgumentsOf<Reference>
    ? [args?: ArgumentsOf<Reference>, options?: ScheduleOptions]
    : [args: ArgumentsOf<Reference>, options?: ScheduleOptions];

/** `waiting` for its time or its next attempt, `running` now, or `dead`: given up and kept to be looked at. */
export type JobState = "waiting" | "running" | "dead";

/** A job as the scheduler knows it. One that has run, or was cancelled, is known no more. */
export interface ScheduledJob {
  readonly id: string;
  readonly functionPath: string;
  readonly args: unknown;
  readonly state: JobState;
  /** When it is, or was, to run: epoch milliseconds. */
  readonly runAt: number;
  /** Runs that failed so far. */
  readonly attempts: number;
  /** How the last run failed. */
  readonly error?: { readonly code: string; readonly message: string };
}

export interface JobListOptions {
  /** Jobs that were given up instead of those that will run. */
  readonly dead?: boolean;
  /** Most jobs in the answer; 100 when left out, 1,000 at most. */
  readonly limit?: number;
  /** Where the page before ended. */
  readonly cursor?: string | null;
}

/** A page of jobs, in the order of their ids. */
export interface JobPage {
  readonly jobs: readonly ScheduledJob[];
  /** Where the next page starts; `null` after the last. */
  readonly cursor: string | null;
}

/**
 * `ctx.scheduler`. In a mutation what is scheduled and cancelled is part of the transaction; in an action it counts
 * at once.
 */
export interface Scheduler {
  /** Runs the function `delayMs` milliseconds from now. Resolves to the job's id. */
  runAfter<Reference extends JobReference>(
    delayMs: number,
    reference: Reference,
    ...rest: JobArguments<Reference>
  ): Promise<string>;
  /** Runs the function at a time, given as epoch milliseconds or a date; at once when it has passed. */
  runAt<Reference extends JobReference>(
    time: number | Date,
    reference: Reference,
    ...rest: JobArguments<Reference>
  ): Promise<string>;
  /** `true` exactly when the job will not run (again). */
  cancel(id: string): Promise<boolean>;
  /** `null` when the job has run, was cancelled, or never was. */
  get(id: string): Promise<ScheduledJob | null>;
  /** Jobs of the whole app. What a mutation has not committed yet is not among them. */
  list(options?: JobListOptions): Promise<JobPage>;
}

/** What an app that schedules is given besides; made by `@lunora/scheduler`, named by generated code. */
export interface SchedulingPart {
  /** `ctx.scheduler` of actions. `now`: epoch milliseconds. */
  ofAction(definition: LunoraDefinition, env: Environment, now: () => number): Scheduler;
  /** What `lunora/crons.ts` says, once the worker's cron handler has been made. */
  cronsOf(definition: LunoraDefinition): readonly CronJob[];
  /** The shard's half; `@lunora/do` knows its form. */
  readonly openOutbox: (host: never) => unknown;
}
