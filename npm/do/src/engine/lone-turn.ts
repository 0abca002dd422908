import { Commit } from "./commit.ts";
import type { Deadline } from "./deadline.ts";
import type { Flush } from "./live/flush.ts";
import type { ShardWatch } from "./observing/shard-watch.ts";
import type { OpLog } from "./op-log.ts";
import type { ScheduleOutbox } from "./scheduling/schedule-outbox.ts";
import { Session } from "./session.ts";
import type { SessionFacts } from "./session.ts";
import type { ShardAlarm } from "./shard-alarm.ts";
import type { ShardHost } from "./shard-host.ts";
import type { DatabaseFactory } from "./triggers.ts";

/** What a turn that writes alone needs of its shard. */
export interface LoneTurnHost {
  readonly host: ShardHost;
  readonly log: OpLog;
  readonly alarm: ShardAlarm;
  readonly outbox: ScheduleOutbox | undefined;
  readonly watch: ShardWatch | undefined;
  tellParts(flush: Flush): Promise<void>;
}

/**
 * One transaction within a turn, told to the op-log and to live subscriptions; all or none. `polled`: global tables that have
 * changed besides.
 */
export async function commitAlone<Result>(
  { host, log, alarm, outbox, watch, tellParts }: LoneTurnHost,
  by: "sweep" | "admin",
  write: (commit: Commit, now: number) => Promise<Result>,
  polled?: ReadonlySet<string>,
): Promise<Result> {
  const fromSeq = log.head;
  const commit = new Commit(host.sql);
  /** What triggers scheduled; it is handed over even if the process ends before. */
  const writeJobs = async (now: number): Promise<void> => {
    const { jobs } = commit;
    if (outbox === undefined || jobs.length === 0) return;
    outbox.stage(jobs);
    const hasJobs = outbox.write();
    await alarm.afterWrites({ changes: [], hasJobs, hasResults: false, hasPushes: false }, now);
  };
  let result: Result;
  try {
    result = await host.exclusiveTransaction(async () => {
      const now = host.now();
      const written = await write(commit, now);
      // Rows that cannot be written are stepped over; SQLite may have rolled back meanwhile.
      if (commit.failure !== undefined) throw commit.failure;
      if (commit.changes.length > 0) log.append(commit.changes, now);
      await writeJobs(now);
      return written;
    });
  } catch (error) {
    log.rewind(fromSeq);
    outbox?.conclude(false);
    await alarm.afterRollback();
    throw error;
  } finally {
    commit.close();
  }
  outbox?.conclude(true);
  const { changes } = commit;
  if (changes.length > 0 || (polled !== undefined && polled.size > 0)) {
    const flush: Flush = { epoch: log.epoch, fromSeq, toSeq: log.head, changes, polled, clients: new Map() };
    if (changes.length > 0) watch?.swept(flush, by);
    await tellParts(flush);
  }
  return result;
}

/** Answers the alarm: removes what has expired, in one transaction, within the time that a mutation has. */
export function sweep(
  turn: LoneTurnHost,
  deadline: Deadline,
  createDatabase: DatabaseFactory,
  facts: (now: number) => SessionFacts,
): Promise<void> {
  return commitAlone(turn, "sweep", async (commit, now) => {
    const session = new Session({ ...facts(now), commit });
    try {
      const swept = deadline.run(
        async () => {
          await turn.alarm.ring({ session, createDatabase }, now);
          await session.settle();
        },
        () => session.abort(),
        () => "the sweep of expired rows",
      );
      deadline.arm();
      await swept;
    } finally {
      deadline.stop();
    }
  });
}
