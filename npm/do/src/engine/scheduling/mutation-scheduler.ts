import { LunoraError } from "@lunora/errors";
import { decodeValue } from "@lunora/protocol";
import { checkJobList, jobOrder, jobTime, jobTimeAfter, newJobId } from "@lunora/runtime";
import type {
  JobArguments,
  JobListOptions,
  JobPage,
  JobReference,
  ScheduledJob,
  ScheduleOptions,
  Scheduler,
} from "@lunora/server";

import type { Session } from "../session.ts";
import { stagedJob } from "./job-change.ts";
import type { ScheduleOutbox } from "./schedule-outbox.ts";

/** `ctx.scheduler` of a mutation, and of the triggers of its writes: everything counts with its commit. */
export class MutationScheduler implements Scheduler {
  readonly #outbox: ScheduleOutbox;
  readonly #session: Session;

  constructor(outbox: ScheduleOutbox, session: Session) {
    this.#outbox = outbox;
    this.#session = session;
  }

  async runAfter<Reference extends JobReference>(
    delayMs: number,
    reference: Reference,
    ...rest: JobArguments<Reference>
  ): Promise<string> {
    return this.#schedule(jobTimeAfter(delayMs, this.#session.facts.now), reference, rest);
  }

  async runAt<Reference extends JobReference>(
    time: number | Date,
    reference: Reference,
    ...rest: JobArguments<Reference>
  ): Promise<string> {
    return this.#schedule(jobTime(time), reference, rest);
  }

  #schedule(runAt: number, reference: JobReference, [args, options]: readonly unknown[]): Promise<string> {
    const { definition, shard } = this.#outbox.host;
    const job = jobOrder(definition, newJobId(shard), runAt, reference, args, options as ScheduleOptions | undefined);
    return this.#session.exclusive(() => {
      this.#session.commit.stage({ kind: "run", job });
      return job.id;
    });
  }

  /** Of members of this group that have ended, and of this one so far. */
  #staged(id: string): ReturnType<typeof stagedJob> {
    return stagedJob([...this.#outbox.staged, ...this.#session.commit.jobs], id);
  }

  async cancel(id: string): Promise<boolean> {
    return this.#session.exclusive(async () => {
      const { commit } = this.#session;
      const staged = this.#staged(id);
      if (staged === "cancelled") return false;
      if (staged !== undefined) {
        commit.stage({ kind: "drop", id });
        return true;
      }
      const hold = newJobId();
      this.#outbox.held(hold);
      const { shard } = this.#outbox.host;
      const answer = await this.#outbox.askAbout(id, (scheduler) => scheduler.hold(id, shard, hold));
      if (answer === "gone") return false;
      if (answer === "busy") throw new LunoraError("CONFLICT", `another mutation is about to cancel the job \`${id}\``);
      try {
        commit.stage({ kind: "cancel", id, hold });
      } catch (error) {
        // The mutation ended while the scheduler was asked, and its group may have as well.
        this.#outbox.release([hold]);
        throw error;
      }
      return true;
    });
  }

  async get(id: string): Promise<ScheduledJob | null> {
    this.#session.assertOpen();
    const staged = this.#staged(id);
    if (staged === "cancelled") return null;
    if (staged !== undefined) {
      const { functionPath, args, runAt } = staged;
      return { id, functionPath, args: decodeValue(args), state: "waiting", runAt, attempts: 0 };
    }
    const { shard } = this.#outbox.host;
    const job = await this.#outbox.askAbout(id, (scheduler) => scheduler.get(id, shard));
    return job === null ? null : { ...job, args: decodeValue(job.args) };
  }

  async list(options: JobListOptions = {}): Promise<JobPage> {
    this.#session.assertOpen();
    const page = await this.#outbox.ask((scheduler) => scheduler.list(checkJobList(options)));
    return { ...page, jobs: page.jobs.map((job) => ({ ...job, args: decodeValue(job.args) })) };
  }
}
