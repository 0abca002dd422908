import { MemorySqlite } from "../../do/testing/memory-sqlite.ts";
import { provideWithResolvers } from "../../do/testing/with-resolvers.ts";
import type { JobOrder, JobOutcome, ShardJobRequest } from "@lunora/runtime";

import { SchedulerEngine } from "../src/engine/scheduler-engine.ts";
import type { SchedulerHost, SchedulerLimits } from "../src/engine/scheduler-engine.ts";

provideWithResolvers();

export const START = 1_800_000_000_000;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The engine with a clock that only moves when it is told to. */
export class SimulatedScheduler {
  readonly sqlite = new MemorySqlite();
  /** Epoch milliseconds. */
  now = START;
  alarm: number | null = null;
  /** How much too early alarms go off, milliseconds. */
  early = 0;
  /** Runs that began: the job and when. */
  readonly runs: { readonly id: string; readonly at: number }[] = [];
  run: (job: JobOrder) => Promise<JobOutcome> = async () => ({ ok: true });
  ask: (shard: string, request: ShardJobRequest) => Promise<void> = async () => {};
  isShard: (name: string) => Promise<boolean> = async () => true;
  random: () => number = () => 0.5;
  engine!: SchedulerEngine;
  readonly #limits: Partial<SchedulerLimits>;
  /** What an engine before a crash does reaches nobody any more. */
  #life = 0;

  constructor(limits: Partial<SchedulerLimits> = {}) {
    this.#limits = limits;
  }

  /** Opens the storage; what is on its way from an engine before is lost. */
  async open(): Promise<this> {
    this.#life += 1;
    const life = this.#life;
    const never = new Promise<never>(() => {});
    const ifAlive = async <Result>(result: Promise<Result>): Promise<Result> => {
      const value = await result;
      return life === this.#life ? value : never;
    };
    const host: SchedulerHost = {
      sql: this.sqlite as unknown as SchedulerHost["sql"],
      now: () => this.now,
      random: () => this.random(),
      getAlarm: async () => this.alarm,
      setAlarm: async (time) => {
        if (life === this.#life) this.alarm = time;
      },
      sleep: async () => {},
      run: (order) => {
        this.runs.push({ id: order.id, at: this.now });
        return ifAlive(this.run(order));
      },
      isShard: (name) => ifAlive(this.isShard(name)),
      ask: (shard, request) => ifAlive(this.ask(shard, request)),
    };
    this.engine = await SchedulerEngine.open(host, this.#limits);
    return this;
  }

  /** Everything that waits for nothing but turns of the event loop has happened. */
  async settle(): Promise<void> {
    for (let index = 0; index < 8; index += 1) await turn();
  }

  /** Lets time go by, from alarm to alarm. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.now + milliseconds;
    await this.settle();
    while (this.alarm !== null && this.alarm <= end) {
      const answered = this.alarm;
      this.now = Math.max(this.now, answered - this.early);
      await this.engine.ring();
      // The platform removes the alarm that was answered, unless another time was set meanwhile.
      if (this.alarm === answered) this.alarm = null;
      await this.settle();
    }
    this.now = end;
  }
}

/** A job that is due at once, unless a time is given. */
export function job(id: string, more: Partial<JobOrder> = {}): JobOrder {
  return { id, functionPath: "app:work", args: {}, runAt: START, shard: null, ...more };
}
