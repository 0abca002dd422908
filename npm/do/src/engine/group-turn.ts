import { failureOf } from "./function-runner.ts";
import type { Flush } from "./live/flush.ts";
import type { LoneTurnHost } from "./lone-turn.ts";
import type { MutationCall, MutationOutcome } from "./mutation-call.ts";
import { MutationGroup } from "./mutation-group.ts";
import type { GroupHost } from "./mutation-group.ts";
import type { PressureGauge } from "./pressure-gauge.ts";
import type { Registration } from "./registration.ts";
import type { SocketHub } from "./sockets/socket-hub.ts";
import { asLostGroup } from "./storage-failure.ts";
import type { GroupEnd } from "./turn-queue.ts";

/** What the turn of a group needs of its shard. */
export interface GroupTurnHost extends LoneTurnHost, GroupHost {
  readonly registration: Registration;
  readonly hub: SocketHub;
  readonly gauge: PressureGauge;
}

/**
 * Runs mutations in their order, as one transaction, and tells everybody: the op-log, live subscriptions, whoever called. Never
 * rejects: what fails is the outcome of the calls.
 */
export async function runGroup(turn: GroupTurnHost, calls: readonly MutationCall[]): Promise<GroupEnd> {
  const { log, watch, hub, registration, outbox, writes, ledger, keeper } = turn;
  const fromSeq = log.head;
  const group = new MutationGroup(turn, calls);
  try {
    await group.admit();
    if (!registration.isDone) await registration.complete();
  } catch (error) {
    return lose(turn, calls, fromSeq, error);
  }
  writes.begin();
  try {
    await group.run();
    // From here on nothing outside is waited for before everything is written: one turn, one commit.
    writes.end();
    const armed = write(turn, group);
    if (armed !== undefined) await armed;
  } catch (error) {
    writes.abandon(error);
    return lose(turn, calls, fromSeq, error);
  }
  const { changes, outcomes } = group;
  const clients = ledger.settle();
  keeper.clear();
  outbox?.conclude(true);
  const flush: Flush = { epoch: log.epoch, fromSeq, toSeq: log.head, changes, clients };
  watch?.committed(calls, group, flush);
  if (changes.length > 0 || clients.size > 0) await turn.tellParts(flush);
  outcomes.forEach((outcome, index) => conclude(calls[index] as MutationCall, outcome));
  hub.settle(clients);
  hub.deliver();
  watch?.settled();
  turn.gauge.feel(group.ran);
  return { taken: outcomes.length, hasWritten: changes.length > 0 || clients.size > 0 || group.ran > 0 };
}

/** Everything besides the rows that is committed with the group. */
function write(
  { now: clock, log, outbox, alarm, ledger, keeper }: GroupTurnHost,
  { changes }: MutationGroup,
): Promise<void> | undefined {
  const now = clock();
  const hasJobs = outbox?.write() ?? false;
  const written = { changes, hasJobs, hasResults: keeper.hasStaged, hasPushes: ledger.hasStaged };
  if (changes.length > 0) log.append(changes, now);
  if (written.hasPushes) ledger.write(now);
  if (written.hasResults) keeper.write(now);
  return alarm.afterWrites(written, now);
}

/** The group is gone, and with it everything that its members did. */
async function lose(
  { log, outbox, alarm, watch, hub, ledger, keeper }: GroupTurnHost,
  calls: readonly MutationCall[],
  fromSeq: number,
  error: unknown,
): Promise<GroupEnd> {
  log.rewind(fromSeq);
  ledger.discard();
  keeper.clear();
  outbox?.conclude(false);
  await alarm.afterRollback().catch((failure: unknown) => {
    console.error("[lunora] the alarm cannot be read", failure);
  });
  console.error("[lunora] a group of mutations was lost", error);
  const outcome = { ok: false as const, ...failureOf("a group of mutations", asLostGroup(error)) };
  watch?.lost(calls, outcome.error.code);
  for (const call of calls) conclude(call, outcome);
  hub.deliver();
  return { taken: calls.length, hasWritten: false };
}

/** Whatever goes wrong in telling one caller must not keep the others from being told, nor the queue from going on. */
function conclude(call: MutationCall, outcome: MutationOutcome): void {
  try {
    call.done(outcome);
  } catch (error) {
    failureOf(call.functionPath, error);
  }
}
