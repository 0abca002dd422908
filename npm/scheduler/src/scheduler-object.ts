import { DurableObject } from "cloudflare:workers";
import { BINDINGS, callObject, observer, reachObject, REGISTRY_OBJECT, runJob } from "@lunora/runtime";
import type {
  HoldAnswer,
  JobAction,
  JobDecision,
  JobOrder,
  LookedAtJobs,
  OutboxEntry,
  OutboxSource,
  RegistryMethods,
  SchedulerMethods,
  ShardJobMethods,
} from "@lunora/runtime";
import type { Environment, JobListOptions, JobPage, LunoraDefinition, ScheduledJob } from "@lunora/server";

import { SchedulerEngine } from "./engine/scheduler-engine.ts";
import type { SchedulerHost, SchedulerLimits } from "./engine/scheduler-engine.ts";
import type { SqlStorage } from "./engine/sql.ts";

export interface SchedulerOptions extends Partial<SchedulerLimits> {
  /** Epoch milliseconds. */
  readonly now?: () => number;
  /** From 0 up to, but not including, 1. */
  readonly random?: () => number;
}

/** The scheduler, seen from the Worker and from shards. */
export interface SchedulerObject extends SchedulerMethods {
  alarm(): Promise<void>;
}

/** The platform makes the object; its `DurableObjectState` and the bindings are what it hands in. */
export type SchedulerObjectClass = new (context: never, env: never) => SchedulerObject;

function hostOf(
  context: DurableObjectState,
  env: Environment,
  definition: LunoraDefinition,
  { now = Date.now, random = Math.random }: SchedulerOptions,
): SchedulerHost {
  const { storage } = context;
  return {
    sql: storage.sql as unknown as SqlStorage,
    observer: observer(),
    now,
    random,
    getAlarm: () => storage.getAlarm(),
    setAlarm: (time) => storage.setAlarm(time),
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    run: (job) => runJob(definition, env, job, now),
    isShard: async (name) =>
      (await callObject(
        () => reachObject<RegistryMethods>(definition.schema, env, BINDINGS.registry, REGISTRY_OBJECT),
        (registry) => registry.registeredAt(name),
        true,
      )) !== null,
    ask: (shard, request) =>
      callObject(
        () => reachObject<ShardJobMethods>(definition.schema, env, BINDINGS.shard, shard),
        (stub) => stub.jobs(shard, request),
        true,
      ),
  };
}

/** The class of the object that keeps an app's jobs and runs them when their time has come. */
export function createSchedulerObject(
  definition: LunoraDefinition,
  options: SchedulerOptions = {},
): SchedulerObjectClass {
  class SchedulerDO extends DurableObject<Environment> implements SchedulerMethods {
    #engine: Promise<SchedulerEngine> | undefined;

    #open(): Promise<SchedulerEngine> {
      this.#engine ??= SchedulerEngine.open(hostOf(this.ctx, this.env, definition, options), options).catch(
        (error: unknown) => {
          this.#engine = undefined;
          throw error;
        },
      );
      return this.#engine;
    }

    async take(source: OutboxSource, entries: readonly OutboxEntry[]): Promise<void> {
      return (await this.#open()).take(source, entries);
    }

    async schedule(job: JobOrder): Promise<void> {
      return (await this.#open()).schedule(job);
    }

    async tick(
      jobs: readonly { readonly name: string; readonly job: JobOrder }[],
      scheduledTime: number,
    ): Promise<void> {
      return (await this.#open()).tick(jobs, scheduledTime);
    }

    async hold(id: string, shard: string, hold: string): Promise<HoldAnswer> {
      return (await this.#open()).hold(id, shard, hold);
    }

    async release(holds: readonly string[]): Promise<void> {
      return (await this.#open()).release(holds);
    }

    async cancel(id: string): Promise<"cancelled" | "busy" | "gone"> {
      return (await this.#open()).cancel(id);
    }

    async get(id: string, asker?: string): Promise<ScheduledJob | null> {
      return (await this.#open()).get(id, asker);
    }

    async list(asked: JobListOptions): Promise<JobPage> {
      return (await this.#open()).list(asked);
    }

    async look(asked: { readonly cursor: string | null; readonly limit: number }): Promise<LookedAtJobs | null> {
      return (await this.#open()).look(asked);
    }

    async decide(id: string, action: JobAction): Promise<JobDecision> {
      return (await this.#open()).decide(id, action);
    }

    override async alarm(): Promise<void> {
      return (await this.#open()).ring();
    }
  }

  return SchedulerDO as unknown as SchedulerObjectClass;
}
