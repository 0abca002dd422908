import type { DeadJobs } from "./dead-jobs.ts";
import type { JobTable } from "./job-table.ts";
import type { Ledgers } from "./ledgers.ts";
import type { SchedulerHost, SchedulerLimits } from "./scheduler-engine.ts";

/** Holds that shards are asked about in one pass. */
const HOLDS = 20;

/** Jobs that a shard is told to forget in one message. */
const FORGOTTEN = 500;

/** Messages of that kind in one pass. */
const MESSAGES = 20;

/** What the scheduler does besides running jobs: holds that nobody decided, jobs that shards may forget, old dead jobs. */
export class Tidying {
  readonly #host: SchedulerHost;
  readonly #limits: SchedulerLimits;
  readonly #jobs: JobTable;
  readonly #dead: DeadJobs;
  readonly #ledgers: Ledgers;
  #pass: Promise<void> | undefined;

  constructor(host: SchedulerHost, limits: SchedulerLimits, jobs: JobTable, dead: DeadJobs, ledgers: Ledgers) {
    this.#host = host;
    this.#limits = limits;
    this.#jobs = jobs;
    this.#dead = dead;
    this.#ledgers = ledgers;
  }

  /** The pass that is under way. */
  get pass(): Promise<void> | undefined {
    return this.#pass;
  }

  /** When there is something to do; `null` for never, and while it is being done. */
  nextTime(): number | null {
    if (this.#pass !== undefined) return null;
    const { rememberMs, deadJobsMs } = this.#limits;
    const ended = this.#ledgers.nextEndedTime();
    const death = this.#dead.oldestTime();
    const time = Math.min(
      this.#jobs.nextHoldTime() ?? Infinity,
      ended === null ? Infinity : ended + rememberMs,
      death === null ? Infinity : death + deadJobsMs,
    );
    return time === Infinity ? null : time;
  }

  /** One bounded pass, beside whatever else happens. */
  run(done: () => void): void {
    if (this.#pass !== undefined) return;
    const now = this.#host.now();
    this.forgetDead(now);
    this.#pass = this.#tidy(now, done);
  }

  /**
   * Lets go of dead jobs that are old or too many. Until then their shards remember what happened of them: one that is
   * tried again must not happen twice.
   */
  forgetDead(now: number): void {
    const { deadJobsMs, deadJobs } = this.#limits;
    for (const { id, shard } of this.#dead.forget(now - deadJobsMs, deadJobs))
      if (shard !== null) this.#ledgers.ended(id, shard, now);
  }

  async #tidy(now: number, done: () => void): Promise<void> {
    try {
      await Promise.all([this.#decideHolds(now), this.#tellShards(now)]);
    } catch (error) {
      console.error("[lunora] the scheduler could not tidy up", error);
    }
    this.#pass = undefined;
    done();
  }

  /** A mutation that held a job back has committed, which its outbox says, or was taken back. */
  async #decideHolds(now: number): Promise<void> {
    for (const { hold, shard } of this.#jobs.oldHolds(now, HOLDS)) {
      try {
        await this.#host.ask(shard, { kind: "settle" });
        this.#jobs.release([hold]);
      } catch (error) {
        this.#jobs.extendHold(hold, this.#host.now() + this.#limits.holdMs);
        console.error(`[lunora] \`${shard}\` could not be asked about a job that it may have cancelled`, error);
      }
    }
  }

  async #tellShards(now: number): Promise<void> {
    for (let message = 0; message < MESSAGES; message += 1) {
      const remembered = this.#ledgers.remembered(now - this.#limits.rememberMs, FORGOTTEN);
      if (remembered === undefined) return;
      const { shard, ids } = remembered;
      try {
        await this.#host.ask(shard, { kind: "forget", ids });
        this.#ledgers.forgotten(ids);
      } catch (error) {
        this.#ledgers.postpone(ids, this.#host.now());
        console.error(`[lunora] \`${shard}\` could not be told to forget its jobs`, error);
      }
    }
  }
}
