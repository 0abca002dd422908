import { nextAlarm } from "@lunora/runtime";

import type { ClientLedger } from "./client-ledger.ts";
import type { Change } from "./commit.ts";
import { oldestResult, RESULT_LIFETIME, sweepResults } from "./idempotency.ts";
import { readMeta, removeMeta, writeMeta } from "./meta.ts";
import type { OpLog } from "./op-log.ts";
import { GRACE_MS, isOverfull, planPass } from "./retention.ts";
import type { LogFacts, RetentionPolicy } from "./retention.ts";
import type { ScheduleOutbox } from "./scheduling/schedule-outbox.ts";
import type { SqlStorage } from "./sql.ts";
import type { Table } from "./table.ts";
import { expiryOf, ExpirySweep, nextExpiry } from "./time-to-live.ts";
import type { WriteHost } from "./write-row.ts";

/** The alarm of the object, of which there is one. */
export interface AlarmHost {
  getAlarm(): Promise<number | null>;
  setAlarm(time: number): Promise<void>;
}

function earliest(times: Iterable<number | null>): number | null {
  let result: number | null = null;
  for (const time of times) if (time !== null && (result === null || time < result)) result = time;
  return result;
}

/** A part of the shard that keeps things for a time. Times are epoch milliseconds; `null`: there is nothing to wake for. */
export interface ExpirySource {
  nextExpiry(): number | null;
  /** One bounded pass; when the next is due. */
  sweep(now: number): number | null;
}

/** What a group wrote that has to be swept some day. */
export interface WrittenGroup {
  readonly changes: readonly Change[];
  /** Results of calls with a mutation id. */
  readonly hasResults: boolean;
  /** Results of pushes. */
  readonly hasPushes: boolean;
  /** Jobs that have to be handed to the scheduler. */
  readonly hasJobs: boolean;
}

export interface AlarmParts {
  readonly storage: SqlStorage;
  readonly tables: readonly Table[];
  readonly log: OpLog;
  readonly ledger: ClientLedger;
  readonly retention: RetentionPolicy;
  /** What expires besides; absent in apps without it. */
  readonly others?: readonly ExpirySource[];
  /** Absent in an app that schedules nothing. */
  readonly outbox: ScheduleOutbox | undefined;
  /** Clients that pushed nothing for so long are forgotten, milliseconds. */
  readonly forgetClientsAfterMs: number;
}

/** When the oldest client that can be forgotten will be; absent when nobody has looked yet. */
const FORGET_DUE = "forget_clients_at";

/** Clients are gone through not more often than this, milliseconds. */
const FORGET_PAUSE = 24 * 60 * 60 * 1000;

/** Results of pushes that clients never said to have are looked for this often, milliseconds. */
const PUSH_SWEEP_INTERVAL = 60 * 60 * 1000;

/** How long after a commit the alarm looks whether its jobs have left, milliseconds. */
const HANDOVER_PAUSE = 5_000;

/** While nothing may change the alarm comes back after this, milliseconds. */
const PUT_OFF = 30_000;

/** The log is not looked at more often than this while nothing can go, milliseconds. */
const LOG_PAUSE = 10_000;

/** Shares the one alarm among those who need waking: expired rows, the op-log, results that nobody asks for any more. */
export class ShardAlarm {
  readonly #host: AlarmHost;
  readonly #parts: AlarmParts;
  readonly #tables: readonly Table[];
  readonly #sweep = new ExpirySweep();
  #armed: number | null = null;
  /** Nothing is armed for earlier: see {@link nextAlarm}. */
  #notBefore = 0;
  /** The log has nothing to give before. */
  #logNotBefore = 0;

  constructor(host: AlarmHost, parts: AlarmParts) {
    this.#host = host;
    this.#parts = parts;
    this.#tables = parts.tables.filter(({ expiryIndex }) => expiryIndex !== undefined);
  }

  /** Reads what is armed; arms what is due, since a column may expire only since the schema changed. */
  async start(now: number): Promise<void> {
    this.#armed = await this.#host.getAlarm();
    const { storage, ledger } = this.#parts;
    const oldest = oldestResult(storage);
    await this.#arm(
      earliest([
        oldest === null ? null : oldest + RESULT_LIFETIME,
        ledger.hasResults ? now + PUSH_SWEEP_INTERVAL : null,
        this.#forgetDue(now),
        this.#logDue(now),
        // Whatever is in it has waited while the object was away.
        this.#parts.outbox?.hasEntries === true ? now : null,
        ...this.#tables.map((table) => nextExpiry(storage, table)),
        ...(this.#parts.others ?? []).map((source) => source.nextExpiry()),
      ]),
    );
  }

  /** Somebody wants to be woken by then. */
  wakeAt(time: number): Promise<void> {
    return this.#arm(time);
  }

  async #arm(wanted: number | null): Promise<void> {
    if (wanted === null) return;
    const time = Math.max(wanted, this.#notBefore);
    if (this.#armed !== null && this.#armed <= time) return;
    await this.#host.setAlarm(time);
    this.#armed = time;
  }

  /** Arms for what a group wrote; part of its transaction. */
  afterWrites({ changes, hasResults, hasPushes, hasJobs }: WrittenGroup, now: number): Promise<void> | undefined {
    const { log, retention } = this.#parts;
    let time = now + PUSH_SWEEP_INTERVAL;
    if (!hasPushes) time = Infinity;
    if (hasResults) time = Math.min(time, now + RESULT_LIFETIME);
    if (hasJobs) time = Math.min(time, now + HANDOVER_PAUSE);
    if (changes.length > 0)
      time = Math.min(
        time,
        isOverfull(retention, log.length) ? Math.max(now, this.#logNotBefore) : now + retention.ageMs,
      );
    if (this.#tables.length > 0) {
      for (const { table, after } of changes) {
        if (after === undefined || table.expiryIndex === undefined) continue;
        time = Math.min(time, expiryOf(table, after) ?? Infinity);
      }
    }
    // Nearly always something earlier is armed; then nothing is awaited.
    if (time === Infinity || (this.#armed !== null && this.#armed <= time)) return undefined;
    return this.#arm(time);
  }

  /** A rolled-back transaction may have taken its alarm along. */
  async afterRollback(): Promise<void> {
    this.#armed = await this.#host.getAlarm();
  }

  /** One bounded pass; arms the next. */
  async ring(host: WriteHost, now: number): Promise<void> {
    this.#notBefore = nextAlarm(this.#armed, now);
    this.#armed = null;
    const { storage, ledger } = this.#parts;
    sweepResults(storage, now - RESULT_LIFETIME);
    const isSwept = ledger.sweep(now - RESULT_LIFETIME);
    const oldest = oldestResult(storage);
    const times: (number | null)[] = [
      oldest === null ? null : Math.max(oldest + RESULT_LIFETIME, now),
      !isSwept ? now : ledger.hasResults ? now + PUSH_SWEEP_INTERVAL : null,
      this.#forgetClients(now),
      this.#trimLog(now),
      this.#parts.outbox?.hasEntries === true ? now + HANDOVER_PAUSE : null,
    ];
    for (const source of this.#parts.others ?? []) times.push(source.sweep(now));
    for (const table of this.#tables) times.push(await this.#sweep.pass(host, table, now));
    await this.#arm(earliest(times));
  }

  /** Answers an alarm at a time at which nothing may change: it comes back. */
  async putOff(now: number): Promise<void> {
    this.#notBefore = nextAlarm(this.#armed, now);
    this.#armed = null;
    await this.#arm(now + PUT_OFF);
  }

  #forgetDue(now: number): number | null {
    const { storage, ledger } = this.#parts;
    const due = readMeta(storage, FORGET_DUE);
    if (due !== undefined) return Number(due);
    return ledger.hasClients ? now + PUSH_SWEEP_INTERVAL : null;
  }

  /** Answers when there is something to do again. */
  #forgetClients(now: number): number | null {
    const { storage, ledger, forgetClientsAfterMs } = this.#parts;
    const due = readMeta(storage, FORGET_DUE);
    if (due !== undefined && Number(due) > now) return Number(due);
    const oldestSeen = ledger.forgetClients(now - forgetClientsAfterMs);
    if (oldestSeen === undefined) return now;
    if (!ledger.hasClients) {
      // The next that pushes arms the alarm.
      removeMeta(storage, FORGET_DUE);
      return null;
    }
    const next = Math.max(Math.min(oldestSeen, now) + forgetClientsAfterMs, now + FORGET_PAUSE);
    writeMeta(storage, FORGET_DUE, String(next));
    return next;
  }

  #trimLog(now: number): number | null {
    const { log, retention } = this.#parts;
    const pass = planPass(retention, logFacts(log), now);
    if (pass.floor > log.floor) log.trim(pass.floor);
    // What somebody still reads stays, and is not asked about at once again.
    if (pass.isUnfinished && log.floor >= pass.floor) return now;
    this.#logNotBefore = now + LOG_PAUSE;
    return this.#logDue(now + LOG_PAUSE);
  }

  /** When the log wants a pass, at the earliest. */
  #logDue(earliestTime: number): number | null {
    const { log, retention } = this.#parts;
    const oldest = log.length > 1 ? log.timeOf(log.floor) : null;
    if (oldest === null) return null;
    return Math.max(earliestTime, oldest + (log.length > retention.rows ? GRACE_MS : retention.ageMs));
  }
}

function logFacts(log: OpLog): LogFacts {
  return {
    head: log.head,
    floor: log.floor,
    firstAfter: (time, from, to) => log.firstAfter(time, from, to),
  };
}
