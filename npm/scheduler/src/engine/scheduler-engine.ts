import { jobSource, nextAlarm } from "@lunora/runtime";
import type {
  HoldAnswer,
  JobAction,
  JobDecision,
  JobOrder,
  JobOutcome,
  LookedAtJobs,
  OutboxEntry,
  Observer,
  OutboxSource,
  SchedulerMethods,
  ShardJobRequest,
} from "@lunora/runtime";
import type { JobListOptions, JobPage, ScheduledJob } from "@lunora/server";

import { DeadJobs } from "./dead-jobs.ts";
import { JobTable } from "./job-table.ts";
import { JobWatch } from "./job-watch.ts";
import type { DueJob } from "./job-table.ts";
import { Ledgers } from "./ledgers.ts";
import { lookAtJobs } from "./look-at-jobs.ts";
import { DEFAULT_RETRY, retryDelay } from "./retry.ts";
import type { RetryPolicy } from "./retry.ts";
import type { SqlStorage } from "./sql.ts";
import { Tidying } from "./tidying.ts";

/** What the scheduler needs of the object it runs in. */
export interface SchedulerHost {
  readonly sql: SqlStorage;
  /** Is told what becomes of jobs; only development has one. */
  readonly observer?: Observer | undefined;
  /** Epoch milliseconds. */
  now(): number;
  /** From 0 up to, but not including, 1. */
  random(): number;
  getAlarm(): Promise<number | null>;
  setAlarm(time: number): Promise<void>;
  sleep(milliseconds: number): Promise<void>;
  /** Runs a job once. Never rejects. */
  run(job: JobOrder): Promise<JobOutcome>;
  /** Whether there is a shard of the name: asking one that is not there would make it. */
  isShard(name: string): Promise<boolean>;
  /** Asks a shard. */
  ask(shard: string, request: ShardJobRequest): Promise<void>;
}

export interface SchedulerLimits {
  /** Jobs that run at once. */
  readonly concurrency: number;
  /** Where a job says nothing itself. */
  readonly retry: RetryPolicy;
  /** Jobs that were given up and are kept: the newest. */
  readonly deadJobs: number;
  /** How long, milliseconds. */
  readonly deadJobsMs: number;
  /** How long a shard remembers a job that has ended, milliseconds: longer than a call can be on its way. */
  readonly rememberMs: number;
  /** When a shard is asked about a hold, milliseconds. */
  readonly holdMs: number;
  /** Ends of the process under a job after which it is given up. */
  readonly maxInterruptions: number;
}

export const DEFAULT_LIMITS: SchedulerLimits = {
  concurrency: 6,
  retry: DEFAULT_RETRY,
  deadJobs: 1_000,
  deadJobsMs: 30 * 24 * 60 * 60 * 1000,
  rememberMs: 10 * 60 * 1000,
  holdMs: 30_000,
  maxInterruptions: 20,
};

/** While something is under way the alarm goes off this often, milliseconds: the object may not fall asleep over them. */
const HEARTBEAT = 10_000;

/** How long one alarm stays with it, milliseconds. */
const STAY = 20_000;

/** Everything about the scheduler, except for how the platform is asked. */
export class SchedulerEngine implements SchedulerMethods {
  readonly #host: SchedulerHost;
  readonly #limits: SchedulerLimits;
  readonly #jobs: JobTable;
  readonly #dead: DeadJobs;
  readonly #ledgers: Ledgers;
  readonly #tidying: Tidying;
  readonly #running = new Map<string, Promise<void>>();
  /** Absent unless somebody listens. */
  readonly #watch: JobWatch | undefined;
  #armed: number | null;
  /** Not earlier than this: see `ring`. */
  #notBefore = 0;
  /** Ends the stay of the alarm that is being answered: another one is wanted. */
  #leave: (() => void) | undefined;

  private constructor(host: SchedulerHost, limits: SchedulerLimits, armed: number | null) {
    this.#host = host;
    this.#limits = limits;
    this.#armed = armed;
    this.#jobs = new JobTable(host.sql);
    this.#dead = new DeadJobs(host.sql);
    this.#ledgers = new Ledgers(host.sql);
    this.#watch = host.observer === undefined ? undefined : new JobWatch(host.observer, host.now);
    this.#tidying = new Tidying(host, limits, this.#jobs, this.#dead, this.#ledgers);
    this.#jobs.interruptAll(host.now());
  }

  /** Opens the storage; what ran when the process before ended waits again. */
  static async open(host: SchedulerHost, limits: Partial<SchedulerLimits> = {}): Promise<SchedulerEngine> {
    const engine = new SchedulerEngine(host, { ...DEFAULT_LIMITS, ...limits }, await host.getAlarm());
    engine.#pump();
    return engine;
  }

  async take(source: OutboxSource, entries: readonly OutboxEntry[]): Promise<void> {
    const taken = this.#ledgers.takenUpTo(source);
    for (const entry of entries) {
      if (entry.seq <= taken) continue;
      if (entry.kind === "run") this.#add(entry.job);
      else {
        this.#ledgers.cancelled(entry.id, this.#host.now());
        this.#watch?.cancelled(this.#jobs, entry.id);
        this.#jobs.removeHeld(entry.id, entry.hold);
      }
    }
    const last = entries.at(-1)?.seq ?? 0;
    if (last > taken) this.#ledgers.tookUpTo(source, last);
    this.#pump();
  }

  #add(job: JobOrder): void {
    this.#jobs.add(job);
    this.#watch?.job(job, "scheduled");
  }

  async schedule(job: JobOrder): Promise<void> {
    this.#add(job);
    this.#pump();
  }

  async tick(jobs: readonly { readonly name: string; readonly job: JobOrder }[], scheduledTime: number): Promise<void> {
    for (const { name, job } of jobs) if (this.#ledgers.isNewTick(name, scheduledTime)) this.#add(job);
    this.#pump();
  }

  async hold(id: string, shard: string, hold: string): Promise<HoldAnswer> {
    const job = await this.#find(id, shard);
    if (job === null || job.isRunning) return "gone";
    // Mutations of one shard follow each other: an older hold of its own belongs to one that was taken back.
    if (job.hold !== null && job.holder !== shard) return "busy";
    this.#jobs.hold(id, hold, shard, this.#host.now() + this.#limits.holdMs);
    this.#arm();
    return "held";
  }

  async release(holds: readonly string[]): Promise<void> {
    this.#jobs.release(holds);
    this.#pump();
  }

  async cancel(id: string): Promise<"cancelled" | "busy" | "gone"> {
    const job = await this.#find(id);
    if (job === null || job.isRunning) return "gone";
    if (job.hold !== null) return "busy";
    this.#ledgers.cancelled(id, this.#host.now());
    this.#watch?.cancelled(this.#jobs, id);
    this.#jobs.remove(id);
    return "cancelled";
  }

  async get(id: string, asker?: string): Promise<ScheduledJob | null> {
    return this.#jobs.get(id) ?? ((await this.#find(id, asker)) === null ? null : this.#jobs.get(id));
  }

  async list({ dead = false, limit = 100, cursor }: JobListOptions): Promise<JobPage> {
    return this.#jobs.list(dead, cursor ?? "", limit);
  }

  async look({
    cursor,
    limit,
  }: {
    readonly cursor: string | null;
    readonly limit: number;
  }): Promise<LookedAtJobs | null> {
    return lookAtJobs(this.#host.sql, cursor, limit);
  }

  async decide(id: string, action: JobAction): Promise<JobDecision> {
    const job = await this.#find(id);
    if (job === null) {
      if (!this.#dead.has(id)) return "gone";
      if (action !== "retry") return "dead";
      // What the shard remembers of it is forgotten when this run has ended.
      this.#ledgers.forgotten([id]);
      this.#dead.revive(id, this.#host.now());
    } else if (job.isRunning) return "running";
    else if (job.hold !== null) return "busy";
    else if (action === "retry") return "waiting";
    else if (action === "runNow") this.#jobs.hasten(id, this.#host.now());
    else {
      this.#ledgers.cancelled(id, this.#host.now());
      this.#watch?.cancelled(this.#jobs, id);
      this.#jobs.remove(id);
    }
    this.#pump();
    return "done";
  }

  /** A job that is not known may still be in the outbox of the shard that its id names, unless that one asks. */
  async #find(id: string, asker?: string): Promise<ReturnType<JobTable["find"]>> {
    const known = this.#jobs.find(id);
    if (known !== null) return known;
    const source = jobSource(id);
    if (source === undefined || source === asker) return null;
    // Ids come from anywhere.
    if (!(await this.#host.isShard(source))) return null;
    await this.#host.ask(source, { kind: "handOver" });
    return this.#jobs.find(id);
  }

  /** The object's alarm went off. */
  async ring(): Promise<void> {
    this.#notBefore = nextAlarm(this.#armed, this.#host.now());
    this.#armed = null;
    this.#pump();
    this.#tidying.run(() => this.#pump());
    await this.#stay();
    this.#arm();
  }

  /** What the object may not fall asleep over. */
  get #work(): readonly Promise<void>[] {
    const { pass } = this.#tidying;
    return [...this.#running.values(), ...(pass === undefined ? [] : [pass])];
  }

  /** Stays while something is under way, so that the object is not taken for idle, but in nobody's way. */
  async #stay(): Promise<void> {
    const work = this.#work;
    if (work.length === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#leave = resolve;
    // No other alarm can go off while this one is answered.
    const rest = Math.min(STAY, (this.#armed ?? Infinity) - this.#host.now());
    await Promise.race([promise, this.#host.sleep(Math.max(0, rest)), Promise.allSettled(work)]);
    this.#leave = undefined;
  }

  /** Starts what is due, as far as there is room. */
  #pump(): void {
    const room = this.#limits.concurrency - this.#running.size;
    if (room > 0) for (const job of this.#jobs.due(this.#host.now(), room)) this.#start(job);
    this.#arm();
  }

  #start(job: DueJob): void {
    const { id, functionPath } = job.order;
    if (job.interruptions >= this.#limits.maxInterruptions) {
      this.#bury(job, job.attempts, {
        code: "JOB_INTERRUPTED",
        message: `the process ended ${job.interruptions} times while \`${functionPath}\` ran`,
      });
      return;
    }
    this.#jobs.start(id);
    this.#watch?.job(job.order, "running", job.attempts);
    this.#running.set(id, this.#run(job));
  }

  async #run(job: DueJob): Promise<void> {
    const outcome = await this.#host.run(job.order);
    this.#running.delete(job.order.id);
    this.#conclude(job, outcome);
    this.#pump();
  }

  #conclude(job: DueJob, outcome: JobOutcome): void {
    const { id, shard, retry } = job.order;
    const now = this.#host.now();
    if (outcome.ok) {
      this.#jobs.remove(id);
      this.#watch?.job(job.order, "done", job.attempts);
      if (shard !== null) this.#ledgers.ended(id, shard, now);
      return;
    }
    const policy = { ...this.#limits.retry, ...retry };
    const failures = job.attempts + 1;
    if (outcome.isFinal || failures >= policy.maxAttempts) this.#bury(job, failures, outcome);
    else {
      this.#jobs.retryAt(id, now + retryDelay(failures, policy, this.#host.random()), outcome);
      this.#watch?.job(job.order, "retrying", failures, outcome.code);
    }
  }

  #bury({ order }: DueJob, failures: number, failure: { readonly code: string; readonly message: string }): void {
    const { id, functionPath } = order;
    const now = this.#host.now();
    console.error(`[lunora] the job ${id} of \`${functionPath}\` was given up: ${failure.code}: ${failure.message}`);
    this.#dead.bury(id, failures, failure, now);
    this.#watch?.job(order, "failed", failures, failure.code);
    this.#tidying.forgetDead(now);
  }

  /** Arms the alarm for whatever comes first. In the same turn as what asks for it, and so in the same commit. */
  #arm(): void {
    const now = this.#host.now();
    const isFull = this.#running.size >= this.#limits.concurrency;
    const times = [
      isFull ? null : this.#jobs.nextTime(),
      this.#work.length > 0 ? now + HEARTBEAT : null,
      this.#tidying.nextTime(),
    ];
    const time = Math.min(...times.map((candidate) => candidate ?? Infinity));
    if (time === Infinity || (this.#armed !== null && this.#armed <= Math.max(time, this.#notBefore))) return;
    this.#armed = Math.max(time, now, this.#notBefore);
    this.#host.setAlarm(this.#armed).catch((error: unknown) => {
      console.error("[lunora] the scheduler's alarm cannot be set", error);
    });
    this.#leave?.();
  }
}
