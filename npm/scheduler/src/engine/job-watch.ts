import type { JobOrder, ObservedJob, Observer } from "@lunora/runtime";

import type { JobTable } from "./job-table.ts";

/** Tells what became of jobs. The engine has one only when somebody listens. */
export class JobWatch {
  readonly #observer: Observer;
  readonly #now: () => number;

  constructor(observer: Observer, now: () => number) {
    this.#observer = observer;
    this.#now = now;
  }

  /** A job is about to be removed before it ran. */
  cancelled(jobs: JobTable, id: string): void {
    const job = jobs.get(id);
    if (job !== null) this.job({ ...job, shard: null }, "cancelled");
  }

  /** `attempt`: how many runs have failed; `code`: of the last. */
  job(
    { id: jobId, functionPath, shard: object }: Pick<JobOrder, "id" | "functionPath" | "shard">,
    state: ObservedJob["state"],
    attempt?: number,
    code?: string,
  ): void {
    this.#observer.tell({
      type: "job",
      at: this.#now(),
      object,
      jobId,
      functionPath,
      state,
      ...(attempt === undefined ? {} : { attempt }),
      ...(code === undefined ? {} : { code }),
    });
  }
}
