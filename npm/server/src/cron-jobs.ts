import type { ArgumentsOf, FunctionReference } from "@lunora/protocol";

import { cronExpression } from "./cron-schedule.ts";
import { schemaError } from "./schema-error.ts";
import type { JobReference } from "./scheduler.ts";

/** Every so many minutes that divide an hour, or hours that divide a day. */
export type CronInterval = { readonly minutes: number } | { readonly hours: number };

/** A time of the day, in UTC. */
export interface CronTime {
  readonly hourUTC: number;
  readonly minuteUTC: number;
}

export type Weekday = "sunday" | "monday" | "tuesday" | "wednesday" | "thursday" | "friday" | "saturday";

/** The arguments of a cron's function; left out when it requires none. */
export type CronArguments<Reference extends JobReference> =
  {} extends ArgumentsOf<Reference> ? [args?: ArgumentsOf<Reference>] : [args: ArgumentsOf<Reference>];

/** A line of `lunora/crons.ts`. */
export interface CronJob {
  readonly name: string;
  /** As the platform is told it. */
  readonly expression: string;
  readonly reference: FunctionReference;
  readonly args: unknown;
}

/**
 * What runs at fixed times, all in UTC: `const crons = cronJobs(); crons.daily(…); export default crons;` in
 * `lunora/crons.ts`. Codegen reads the file without running it, so names and times are written in place or as
 * constants.
 */
export class CronJobs {
  readonly #jobs: CronJob[] = [];

  /** In the order in which they are written. */
  get jobs(): readonly CronJob[] {
    return this.#jobs;
  }

  /** Every so often, counted from the full hour or from midnight. */
  interval<Reference extends JobReference>(
    name: string,
    schedule: CronInterval,
    reference: Reference,
    ...rest: CronArguments<Reference>
  ): this {
    return this.#add(name, cronExpression("interval", schedule), reference, rest[0]);
  }

  hourly<Reference extends JobReference>(
    name: string,
    schedule: Pick<CronTime, "minuteUTC">,
    reference: Reference,
    ...rest: CronArguments<Reference>
  ): this {
    return this.#add(name, cronExpression("hourly", schedule), reference, rest[0]);
  }

  daily<Reference extends JobReference>(
    name: string,
    schedule: CronTime,
    reference: Reference,
    ...rest: CronArguments<Reference>
  ): this {
    return this.#add(name, cronExpression("daily", schedule), reference, rest[0]);
  }

  weekly<Reference extends JobReference>(
    name: string,
    schedule: CronTime & { readonly dayOfWeek: Weekday },
    reference: Reference,
    ...rest: CronArguments<Reference>
  ): this {
    return this.#add(name, cronExpression("weekly", schedule), reference, rest[0]);
  }

  /** Months without the day are left out. */
  monthly<Reference extends JobReference>(
    name: string,
    schedule: CronTime & { readonly day: number },
    reference: Reference,
    ...rest: CronArguments<Reference>
  ): this {
    return this.#add(name, cronExpression("monthly", schedule), reference, rest[0]);
  }

  /** `minute hour day-of-month month day-of-week`; days of the week by name, or from 1 for Sunday. */
  cron<Reference extends JobReference>(
    name: string,
    expression: string,
    reference: Reference,
    ...rest: CronArguments<Reference>
  ): this {
    return this.#add(name, expression.trim().split(/\s+/).join(" "), reference, rest[0]);
  }

  #add(name: string, expression: string, reference: FunctionReference, args: unknown): this {
    if (this.#jobs.some((job) => job.name === name))
      throw schemaError(`There are two crons \`${name}\``, "Rename or remove one of them.");
    this.#jobs.push({ name, expression, reference, args: args ?? {} });
    return this;
  }
}

/** Starts the list of an app's crons. */
export function cronJobs(): CronJobs {
  return new CronJobs();
}
