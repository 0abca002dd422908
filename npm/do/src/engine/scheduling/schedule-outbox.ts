import { callObject, jobSource, reachObject, SCHEDULER_BINDING, SCHEDULER_OBJECT } from "@lunora/runtime";
import type { OutboxEntry, SchedulerMethods, ShardJobRequest } from "@lunora/runtime";
import type { Environment, LunoraDefinition, Scheduler } from "@lunora/server";

import { pieces } from "../pieces.ts";
import type { Session } from "../session.ts";
import type { SqlStorage } from "../sql.ts";
import { settledChanges } from "./job-change.ts";
import type { JobChange } from "./job-change.ts";
import { MutationScheduler } from "./mutation-scheduler.ts";

/** Entries in one message, unless they are long. */
const BATCH = 500;

/** Characters after which a message takes no more entries. */
const BATCH_CHARACTERS = 4_000_000;

/** What the outbox needs of its shard. */
export interface OutboxHost {
  /** The storage itself, around the open group: no member sees the outbox. */
  readonly storage: SqlStorage;
  readonly definition: LunoraDefinition;
  readonly env: Environment;
  /** Name of the shard. */
  readonly shard: string;
  /** Changes when the storage was restored or copied. */
  timeline(): string;
  /** Resolves once every mutation that has begun has ended. */
  settled(): Promise<void>;
}

/**
 * The jobs that mutations of a shard scheduled and cancelled: written with the group, handed over afterwards, removed
 * when the scheduler has them on disk. Numbers only grow and entries leave in their order, so the scheduler knows by
 * the last number what it has taken.
 */
export class ScheduleOutbox {
  readonly #host: OutboxHost;
  #staged: JobChange[] = [];
  /** Taken by members of the open group, whether or not they will commit. */
  #holds = new Set<string>();
  /** Jobs that members of the open group were. */
  #done = new Set<string>();
  #isSending = false;
  #sent: Promise<void> = Promise.resolve();

  /** Makes the table; part of the transaction that opens the shard. */
  constructor(host: OutboxHost) {
    this.#host = host;
    host.storage
      .exec(`CREATE TABLE IF NOT EXISTS __schedule_outbox(seq INTEGER PRIMARY KEY AUTOINCREMENT, entry TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS __job_done(id TEXT PRIMARY KEY NOT NULL) WITHOUT ROWID`);
  }

  get host(): OutboxHost {
    return this.#host;
  }

  /** `ctx.scheduler` of a mutation. */
  schedulerOf(session: Session): Scheduler {
    return new MutationScheduler(this, session);
  }

  /** What the members of the open group that have ended do to jobs. */
  get staged(): readonly JobChange[] {
    return this.#staged;
  }

  /** A member has ended well. */
  stage(changes: readonly JobChange[]): void {
    for (const change of changes) this.#staged.push(change);
  }

  held(hold: string): void {
    this.#holds.add(hold);
  }

  /** Whether the mutation that is this job has committed, or is about to. Known until the scheduler forgets the job. */
  isDone(id: string): boolean {
    return (
      this.#done.has(id) || this.#host.storage.exec("SELECT 1 FROM __job_done WHERE id = ?", id).toArray().length > 0
    );
  }

  done(id: string): void {
    this.#done.add(id);
  }

  /** Writes what the group staged, as part of its commit. Answers whether there is something to hand over. */
  write(): boolean {
    if (this.#done.size > 0)
      this.#host.storage.exec(
        "INSERT OR IGNORE INTO __job_done(id) SELECT value FROM json_each(?)",
        JSON.stringify([...this.#done]),
      );
    const entries = settledChanges(this.#staged);
    for (const rows of pieces(entries.map((entry) => [JSON.stringify(entry)])))
      this.#host.storage.exec(
        "INSERT INTO __schedule_outbox(entry) SELECT value ->> 0 FROM json_each(?)",
        JSON.stringify(rows),
      );
    return entries.length > 0;
  }

  /** The group has committed, or is lost. */
  conclude(isCommitted: boolean): void {
    this.#done.clear();
    if (this.#staged.length === 0 && this.#holds.size === 0) return;
    const kept = new Set(
      isCommitted ? this.#staged.flatMap((change) => (change.kind === "cancel" ? [change.hold] : [])) : [],
    );
    const released = [...this.#holds].filter((hold) => !kept.has(hold));
    const mayHaveEntries = isCommitted && this.#staged.length > 0;
    this.#staged = [];
    this.#holds = new Set();
    // What gets lost here is found by the scheduler, which asks when a hold has grown old.
    if (released.length > 0) this.release(released);
    if (mayHaveEntries)
      this.handOver().catch((error: unknown) => {
        console.error("[lunora] jobs could not be handed to the scheduler; the alarm tries again", error);
      });
  }

  release(holds: readonly string[]): void {
    this.ask((scheduler) => scheduler.release(holds)).catch((error: unknown) => {
      console.error("[lunora] the scheduler could not be told that jobs are not cancelled after all", error);
    });
  }

  /** Something has not left yet. */
  get hasEntries(): boolean {
    return this.#host.storage.exec("SELECT 1 FROM __schedule_outbox LIMIT 1").toArray().length > 0;
  }

  /** Resolves when what was committed before is with the scheduler. */
  handOver(): Promise<void> {
    if (!this.#isSending) {
      this.#isSending = true;
      this.#sent = this.#send();
    }
    return this.#sent;
  }

  async #send(): Promise<void> {
    const { storage, shard } = this.#host;
    try {
      for (;;) {
        const entries = this.#next();
        const last = entries.at(-1);
        if (last === undefined) return;
        const source = { shard, timeline: this.#host.timeline() };
        await this.ask((scheduler) => scheduler.take(source, entries));
        storage.exec("DELETE FROM __schedule_outbox WHERE seq <= ?", last.seq);
      }
    } finally {
      // In the same step as the look that found nothing: what is committed after it starts anew.
      this.#isSending = false;
    }
  }

  #next(): OutboxEntry[] {
    const rows = this.#host.storage
      .exec(`SELECT seq, entry FROM __schedule_outbox ORDER BY seq LIMIT ${BATCH}`)
      .toArray();
    const entries: OutboxEntry[] = [];
    let characters = 0;
    for (const row of rows) {
      const text = row["entry"] as string;
      characters += text.length;
      if (entries.length > 0 && characters > BATCH_CHARACTERS) break;
      entries.push({ seq: row["seq"] as number, ...(JSON.parse(text) as Exclude<JobChange, { kind: "drop" }>) });
    }
    return entries;
  }

  /**
   * Asks about a job. One of this shard is handed over first: the scheduler would have to ask for it here, where it
   * would not be let in while expired rows are swept.
   */
  async askAbout<Result>(id: string, question: (scheduler: SchedulerMethods) => Promise<Result>): Promise<Result> {
    if (jobSource(id) === this.#host.shard) await this.handOver();
    return this.ask(question);
  }

  /** What is asked twice counts once. */
  ask<Result>(question: (scheduler: SchedulerMethods) => Promise<Result>): Promise<Result> {
    const { definition, env } = this.#host;
    return callObject(
      () => reachObject<SchedulerMethods>(definition.schema, env, SCHEDULER_BINDING, SCHEDULER_OBJECT),
      question,
      true,
    );
  }

  /** The scheduler asks. */
  async request(request: ShardJobRequest): Promise<void> {
    switch (request.kind) {
      case "forget":
        this.#host.storage.exec(
          "DELETE FROM __job_done WHERE id IN (SELECT value FROM json_each(?))",
          JSON.stringify(request.ids),
        );
        return;
      case "settle":
        await this.#host.settled();
        break;
      case "handOver":
    }
    await this.handOver();
  }
}

/** Generated code hands this to shards by way of `@lunora/scheduler`, so that other apps do not carry it. */
export function openScheduleOutbox(host: OutboxHost): ScheduleOutbox {
  return new ScheduleOutbox(host);
}
