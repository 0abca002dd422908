import type { JobListOptions, JobPage, JobState, RetryOptions, ScheduledJob } from "@lunora/server";

/** The one scheduler of a namespace. */
export const SCHEDULER_OBJECT = "__lunora_scheduler__";

/** Its binding. */
export const SCHEDULER_BINDING = "SCHEDULER";

/** A job as it is handed over. */
export interface JobOrder {
  /** Also the mutation id of the call that it becomes. */
  readonly id: string;
  readonly functionPath: string;
  /** Wire-encoded. */
  readonly args: unknown;
  /** Epoch milliseconds. */
  readonly runAt: number;
  /** The object that a mutation runs in; `null` for an action. */
  readonly shard: string | null;
  readonly retry?: RetryOptions;
}

/** How a run of a job ended. One that failed finally is not tried again. */
export type JobOutcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: string; readonly message: string; readonly isFinal: boolean };

/** What a shard committed and has to hand over. */
export type OutboxEntry =
  | { readonly seq: number; readonly kind: "run"; readonly job: JobOrder }
  /** The hold becomes final: see {@link SchedulerMethods.hold}. */
  | { readonly seq: number; readonly kind: "cancel"; readonly id: string; readonly hold: string };

/** Whose outbox it is. Numbers of one timeline only grow, so that what was taken before is known by its number. */
export interface OutboxSource {
  /** Name of the shard. */
  readonly shard: string;
  /** Another one after the shard was restored or copied. */
  readonly timeline: string;
}

/**
 * `held`: it will not run unless the hold is released. `busy`: another mutation is deciding about it. `gone`: it runs,
 * has run, was cancelled, or never was.
 */
export type HoldAnswer = "held" | "busy" | "gone";

/** What an admin wants of a job: not at all, now instead of later, or once more after it was given up. */
export type JobAction = "cancel" | "runNow" | "retry";

/** What became of it, or why the action does not fit the job. */
export type JobDecision = "done" | "gone" | "busy" | "running" | "waiting" | "dead";

/** A job as an admin sees it. Arguments are wire-encoded; times are epoch milliseconds. */
export interface LookedAtJob {
  readonly id: string;
  readonly functionPath: string;
  readonly args: unknown;
  readonly state: JobState;
  /** When it runs next; of one that was given up, when it was to run first. */
  readonly dueAt: number;
  /** Runs that failed. */
  readonly attempt: number;
  /** The object that it runs in; `null` for an action. */
  readonly object: string | null;
  readonly lastError?: { readonly code: string; readonly message: string };
}

/** A page of all jobs: those that wait or run, then those that were given up. */
export interface LookedAtJobs {
  readonly jobs: readonly LookedAtJob[];
  /** Where the next page starts; `null` after the last. */
  readonly cursor: string | null;
  /** Crons whose time has come at least once, with the last such time. */
  readonly crons: readonly { readonly name: string; readonly lastAt: number }[];
}

/** What is asked of the scheduler. */
export interface SchedulerMethods {
  /** Takes over what a shard committed: entries in their order, without a gap before the first. Each counts once. */
  take(source: OutboxSource, entries: readonly OutboxEntry[]): Promise<void>;
  /** A job of an action: it counts when this resolves. */
  schedule(job: JobOrder): Promise<void>;
  /** Cancels at once. */
  cancel(id: string): Promise<Exclude<HoldAnswer, "held"> | "cancelled">;
  /**
   * Keeps a job from running until the mutation that wants it cancelled has ended: made final by an outbox entry,
   * undone by `release`, and when neither comes by asking the shard. A shard that asks about a job of its own has handed
   * it over before.
   */
  hold(id: string, shard: string, hold: string): Promise<HoldAnswer>;
  release(holds: readonly string[]): Promise<void>;
  /** A shard that asks about a job of its own has handed it over before. */
  get(id: string, asker?: string): Promise<ScheduledJob | null>;
  list(options: JobListOptions): Promise<JobPage>;
  /** `null` for a cursor that no page had. */
  look(options: { readonly cursor: string | null; readonly limit: number }): Promise<LookedAtJobs | null>;
  /** An admin decides. A job that is tried once more has all its attempts before it, and happens once as ever. */
  decide(id: string, action: JobAction): Promise<JobDecision>;
  /** The jobs of a cron tick; each name counts once for a time, and never for an earlier one. */
  tick(jobs: readonly { readonly name: string; readonly job: JobOrder }[], scheduledTime: number): Promise<void>;
}

/** What the scheduler asks of a shard. */
export type ShardJobRequest =
  /** Hand over what is committed. */
  | { readonly kind: "handOver" }
  /** The same once every mutation that has begun has ended. */
  | { readonly kind: "settle" }
  /** These jobs will not be called again. */
  | { readonly kind: "forget"; readonly ids: readonly string[] };

/** The methods of a shard that belong to the scheduler. */
export interface ShardJobMethods {
  jobs(shard: string, request: ShardJobRequest): Promise<void>;
}
