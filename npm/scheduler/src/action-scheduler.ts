import { LunoraError } from "@lunora/errors";
import { decodeValue } from "@lunora/protocol";
import { callObject, checkJobList, jobOrder, jobTime, jobTimeAfter, newJobId } from "@lunora/runtime";
import type { SchedulerMethods } from "@lunora/runtime";
import type {
  Environment,
  JobArguments,
  JobListOptions,
  JobPage,
  JobReference,
  LunoraDefinition,
  ScheduledJob,
  ScheduleOptions,
  Scheduler,
} from "@lunora/server";

import { reachScheduler } from "./reach-scheduler.ts";

/** `ctx.scheduler` of an action: everything counts at once. */
export class ActionScheduler implements Scheduler {
  readonly #definition: LunoraDefinition;
  readonly #env: Environment;
  readonly #now: () => number;

  constructor(definition: LunoraDefinition, env: Environment, now: () => number) {
    this.#definition = definition;
    this.#env = env;
    this.#now = now;
  }

  async runAfter<Reference extends JobReference>(
    delayMs: number,
    reference: Reference,
    ...rest: JobArguments<Reference>
  ): Promise<string> {
    return this.#schedule(jobTimeAfter(delayMs, this.#now()), reference, rest);
  }

  async runAt<Reference extends JobReference>(
    time: number | Date,
    reference: Reference,
    ...rest: JobArguments<Reference>
  ): Promise<string> {
    return this.#schedule(jobTime(time), reference, rest);
  }

  async #schedule(runAt: number, reference: JobReference, [args, options]: readonly unknown[]): Promise<string> {
    const job = jobOrder(this.#definition, newJobId(), runAt, reference, args, options as ScheduleOptions | undefined);
    await this.#ask((scheduler) => scheduler.schedule(job));
    return job.id;
  }

  async cancel(id: string): Promise<boolean> {
    const answer = await this.#ask((scheduler) => scheduler.cancel(id));
    if (answer === "busy") throw new LunoraError("CONFLICT", `a mutation is about to cancel the job \`${id}\``);
    return answer === "cancelled";
  }

  async get(id: string): Promise<ScheduledJob | null> {
    const job = await this.#ask((scheduler) => scheduler.get(id));
    return job === null ? null : { ...job, args: decodeValue(job.args) };
  }

  async list(options: JobListOptions = {}): Promise<JobPage> {
    const checked = checkJobList(options);
    const page = await this.#ask((scheduler) => scheduler.list(checked));
    return { ...page, jobs: page.jobs.map((job) => ({ ...job, args: decodeValue(job.args) })) };
  }

  #ask<Result>(question: (scheduler: SchedulerMethods) => Promise<Result>): Promise<Result> {
    return callObject(() => reachScheduler(this.#definition, this.#env), question, true);
  }
}
