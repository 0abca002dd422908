import type { Commit } from "./commit.ts";
import { oldestResult, RESULT_LIFETIME, sweepResults } from "./idempotency.ts";
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

/** Shares the one alarm among those who need waking: expired rows and results that nobody asks for any more. */
export class ShardAlarm {
  readonly #host: AlarmHost;
  readonly #storage: SqlStorage;
  readonly #tables: readonly Table[];
  readonly #sweep = new ExpirySweep();
  #armed: number | null = null;

  constructor(host: AlarmHost, storage: SqlStorage, tables: readonly Table[]) {
    this.#host = host;
    this.#storage = storage;
    this.#tables = tables.filter(({ expiryIndex }) => expiryIndex !== undefined);
  }

  /** Reads what is armed; arms what is due, since a column may expire only since the schema changed. */
  async start(): Promise<void> {
    this.#armed = await this.#host.getAlarm();
    await this.#arm(this.#next());
  }

  #next(): number | null {
    const oldest = oldestResult(this.#storage);
    return earliest([
      oldest === null ? null : oldest + RESULT_LIFETIME,
      ...this.#tables.map((table) => nextExpiry(this.#storage, table)),
    ]);
  }

  async #arm(time: number | null): Promise<void> {
    if (time === null || (this.#armed !== null && this.#armed <= time)) return;
    await this.#host.setAlarm(time);
    this.#armed = time;
  }

  /** Arms for what a mutation wrote; part of its transaction. */
  async afterWrites(commit: Commit, resultStoredAt: number | null): Promise<void> {
    const times: (number | null)[] = [resultStoredAt === null ? null : resultStoredAt + RESULT_LIFETIME];
    if (this.#tables.length > 0) {
      for (const { table, after } of commit.changes) {
        if (after !== undefined && table.expiryIndex !== undefined) times.push(expiryOf(table, after));
      }
    }
    await this.#arm(earliest(times));
  }

  /** A rolled-back transaction may have taken its alarm along. */
  async afterRollback(): Promise<void> {
    this.#armed = await this.#host.getAlarm();
  }

  /** One bounded pass; arms the next. */
  async ring(host: WriteHost, now: number): Promise<void> {
    this.#armed = null;
    sweepResults(this.#storage, now - RESULT_LIFETIME);
    const oldest = oldestResult(this.#storage);
    const times: (number | null)[] = [oldest === null ? null : Math.max(oldest + RESULT_LIFETIME, now)];
    for (const table of this.#tables) times.push(await this.#sweep.pass(host, table, now));
    await this.#arm(earliest(times));
  }
}
