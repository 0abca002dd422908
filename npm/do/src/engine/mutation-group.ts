import { isLunoraError, LunoraError } from "@lunora/errors";
import { decodeValue, encodeValue } from "@lunora/protocol";
import type { FunctionRegistryEntry, Identity, RegisteredFunction } from "@lunora/server";

import type { ClientLedger } from "./client-ledger.ts";
import { Commit } from "./commit.ts";
import type { Change } from "./commit.ts";
import type { Deadline } from "./deadline.ts";
import { failureOf } from "./function-runner.ts";
import type { FunctionRunner } from "./function-runner.ts";
import { assertKeepable, RESULT_LIFETIME } from "./idempotency.ts";
import type { ResultKeeper } from "./idempotency.ts";
import type { Outcome } from "./kept-outcome.ts";
import type { Globals } from "./globals/globals.ts";
import type { GlobalMutation } from "./globals/global-session.ts";
import { findKnown } from "./known-mutation.ts";
import { idSource } from "./mutation-call.ts";
import type { MutationCall, MutationOutcome, MutationPlace } from "./mutation-call.ts";
import type { ShardWatch } from "./observing/shard-watch.ts";
import type { OpenWrites } from "./open-writes.ts";
import type { OpLog } from "./op-log.ts";
import { Session } from "./session.ts";
import type { SessionFacts } from "./session.ts";
import type { ScheduleOutbox } from "./scheduling/schedule-outbox.ts";
import type { ShardScope } from "./shard-scope.ts";
import type { Table } from "./table.ts";
import { judge, outOfOrder } from "./watermark.ts";

/** How long a group goes on taking members, milliseconds: readers wait for it. */
const GROUP_TIME = 1_000;

/** Characters of results after which a group takes no more members: they are held until it commits. */
const GROUP_RESULTS = 8_000_000;

/** What a group needs of its shard. */
export interface GroupHost {
  readonly writes: OpenWrites;
  readonly scope: ShardScope;
  readonly runner: FunctionRunner;
  readonly ledger: ClientLedger;
  readonly keeper: ResultKeeper;
  readonly deadline: Deadline;
  /** Absent in an app that schedules nothing. */
  readonly outbox: ScheduleOutbox | undefined;
  now(): number;
  /** Its newest position is that of before the group, while one is open. */
  readonly log: OpLog;
  facts(
    identity: Identity | null,
    now: number,
    commit: Commit,
    newId: (table: Table) => string,
    globals: GlobalMutation | undefined,
  ): SessionFacts;
  /** Absent in an app without global tables. */
  readonly globals: Globals | undefined;
  /** Why nothing may be written now; no verdict on anything. */
  writesRefused(): LunoraError | undefined;
  /** Absent unless somebody listens. */
  readonly watch: ShardWatch | undefined;
}

/** A member that may run: what it runs, or why it is refused. */
type Admitted =
  | { readonly entry: FunctionRegistryEntry; readonly registered: RegisteredFunction }
  | { readonly refusal: unknown };

/** Mutations that share a transaction and a flush. Each is atomic on its own. */
export class MutationGroup {
  readonly #host: GroupHost;
  readonly #calls: readonly MutationCall[];
  readonly #admitted: Admitted[] = [];
  /** Of the members that ran, in their order. */
  readonly outcomes: MutationOutcome[] = [];
  /** For each of them, how many changes there were when it had ended. */
  readonly ends: number[] = [];
  /** In order of commit; those of members that failed are not among them. */
  readonly changes: Change[] = [];
  /** How many handlers ran. */
  ran = 0;
  /** Characters of the results that are kept. */
  #kept = 0;

  constructor(host: GroupHost, calls: readonly MutationCall[]) {
    this.#host = host;
    this.#calls = calls;
  }

  /** Finds the functions and asks for permission, before anything is locked. */
  async admit(): Promise<void> {
    const paused = this.#host.writesRefused();
    if (paused !== undefined) {
      this.#calls.forEach((_, place) => (this.#admitted[place] = { refusal: paused }));
      return;
    }
    const late: Promise<void>[] = [];
    this.#calls.forEach((call, place) => {
      try {
        const entry = call.admit();
        const registered = this.#host.runner.loaded(call.functionPath);
        if (entry instanceof Promise || registered === undefined) late.push(this.#admitLate(call, place, entry));
        else this.#admitted[place] = { entry, registered };
      } catch (refusal) {
        this.#admitted[place] = { refusal };
      }
    });
    // Together, so that several that take their time are waited for once.
    if (late.length > 0) await Promise.all(late);
  }

  async #admitLate(
    call: MutationCall,
    place: number,
    answer: FunctionRegistryEntry | Promise<FunctionRegistryEntry>,
  ): Promise<void> {
    try {
      const entry = await answer;
      this.#admitted[place] = { entry, registered: await this.#host.runner.load(call.functionPath, entry) };
    } catch (refusal) {
      this.#admitted[place] = { refusal };
    }
  }

  /**
   * Runs members, one after the other, all or none of which will be committed. Errors of members are their
   * outcomes; what is thrown here loses the group.
   */
  run(): Promise<void> {
    const run = (): Promise<void> => this.#runAll();
    return this.#host.watch?.group(this.#calls, run) ?? run();
  }

  async #runAll(): Promise<void> {
    const started = this.#host.now();
    try {
      for (const [index, call] of this.#calls.entries()) {
        if (index > 0 && (this.#host.now() - started > GROUP_TIME || this.#kept > GROUP_RESULTS)) return;
        const outcome = await this.#runOne(call, this.#admitted[index] as Admitted);
        if (outcome === undefined) return;
        this.outcomes.push(outcome);
        this.ends.push(this.changes.length);
      }
    } finally {
      this.#host.deadline.stop();
    }
  }

  /** `undefined`: it has to be the first of a group. */
  async #runOne(call: MutationCall, admitted: Admitted): Promise<MutationOutcome | undefined> {
    const { ledger } = this.#host;
    const { place, functionPath } = call;
    const now = this.#host.now();
    if (place !== undefined) {
      if (place.received !== undefined) ledger.receive(place.client, place.received);
      const watermark = ledger.watermark(place.client);
      const verdict = judge(place.clientSeq, watermark);
      if (verdict.kind === "refused") return failed(functionPath, verdict.error);
      if (verdict.kind === "decided") return this.#decided(call, place, now);
      if (place.push?.hasMisplaced === true) return failed(functionPath, outOfOrder(place.clientSeq, watermark + 1));
    }
    if (call.jobId !== undefined && this.#host.outbox?.isDone(call.jobId) === true) return { ok: true };
    const known = this.#known(call, now);
    if (known !== undefined && place === undefined) return this.#retold(known);
    // No verdict on the entry, which may come again.
    if (known === undefined && "refusal" in admitted && isUnavailable(admitted.refusal))
      return failed(functionPath, admitted.refusal);
    const outcome = known === undefined ? await this.#handle(call, admitted, now) : this.#retold(known);
    if (outcome === undefined || isUnanswered(outcome)) return outcome;
    if (place !== undefined)
      ledger.decide(
        place.client,
        place.clientSeq as number,
        toKept(outcome),
        call.mutationId === undefined ? undefined : { mutationId: call.mutationId, functionPath },
      );
    return outcome;
  }

  /** The answer to an entry whose number has been decided: what was decided then, if it was this entry. */
  #decided(call: MutationCall, place: MutationPlace, now: number): MutationOutcome {
    const { ledger } = this.#host;
    const kept = ledger.outcome(place.client, place.clientSeq as number);
    const isAnother = kept.mutationId !== undefined && (call.mutationId ?? kept.mutationId) !== kept.mutationId;
    if (!isAnother) return this.#retold(toOutcome(kept.text));
    const known = this.#known(call, now);
    if (known !== undefined) return this.#retold(known);
    // A page that ended had given the number to what only it knew, and that arrived late.
    if (place.push !== undefined) place.push.hasMisplaced = true;
    return failed(call.functionPath, outOfOrder(place.clientSeq, ledger.watermark(place.client) + 1));
  }

  /** How the mutation ended when it came before, under whatever number. */
  #known(call: MutationCall, now: number): MutationOutcome | undefined {
    const { ledger, keeper } = this.#host;
    try {
      const known = findKnown(ledger, keeper, call, now - RESULT_LIFETIME);
      return known === undefined ? undefined : toOutcome(known);
    } catch (error) {
      return failed(call.functionPath, error);
    }
  }

  /** Results that are told again are held like those of members that ran. */
  #retold(outcome: MutationOutcome): MutationOutcome {
    if (outcome.ok) this.#kept += outcome.length ?? 0;
    return outcome;
  }

  #session(call: MutationCall, now: number, commit: Commit, globals: GlobalMutation | undefined): Session {
    const { identity, jobId, mutationId } = call;
    const facts = this.#host.facts(identity, now, commit, idSource(this.#host.scope, mutationId), globals);
    return new Session(jobId === undefined ? facts : { ...facts, jobId });
  }

  async #handle(call: MutationCall, admitted: Admitted, now: number): Promise<MutationOutcome | undefined> {
    const { functionPath, identity, place, repeatable, jobId } = call;
    const { writes, runner, deadline, keeper, outbox, watch } = this.#host;
    if ("refusal" in admitted) return failed(functionPath, admitted.refusal);
    const isFirst = this.outcomes.length === 0;
    if (!isFirst && this.#host.globals?.isWriter(functionPath) === true) return undefined;
    const commit = new Commit(writes, writes.rows);
    writes.add(commit);
    const globals = this.#host.globals?.mutation(call, commit, now, isFirst);
    let session = this.#session(call, now, commit, globals);
    this.ran += 1;
    const { entry, registered } = admitted;
    const handler = (): Promise<unknown> =>
      runner.run(session, identity, functionPath, entry.kind, registered, decodeValue(call.args));
    let outcome: MutationOutcome;
    try {
      let result: unknown;
      for (let isAgain = false; ; isAgain = true) {
        const run = deadline.run(
          () => watch?.within(call, handler) ?? handler(),
          () => session.abort(),
          () => `\`${functionPath}\``,
        );
        // The group waits already, which is told once.
        if (isAgain) deadline.arm();
        result = encodeValue(await run);
        // Outside of the deadline: what D1 is asked to write it may write.
        if (globals === undefined || !globals.needsConclusion || (await globals.conclude(result))) break;
        session = this.#session(call, now, commit, globals);
      }
      outcome = result === undefined ? { ok: true } : { ok: true, result };
      if (place !== undefined) {
        const text = JSON.stringify(result ?? null);
        assertKeepable(functionPath, text);
        this.#kept += text.length;
        outcome = { ...outcome, length: text.length };
      } else if (repeatable !== undefined) this.#kept += keeper.keep(repeatable, functionPath, result);
    } catch (error) {
      if (commit.failure !== undefined) throw commit.failure;
      commit.revoke();
      if (globals?.isPostponed === true) return undefined;
      outcome = globals?.told ?? failed(functionPath, error);
    }
    // Also when the handler caught it: SQLite may have rolled back the members before.
    if (commit.failure !== undefined) throw commit.failure;
    commit.close();
    if (outcome.ok && commit.changes.length > 0) {
      const before = this.#host.log.head + this.changes.length;
      outcome = { ...outcome, written: { fromSeq: before + 1, toSeq: before + commit.changes.length } };
    }
    for (const change of commit.changes) this.changes.push(change);
    outbox?.stage(commit.jobs);
    if (jobId !== undefined && outcome.ok) outbox?.done(jobId);
    return outcome;
  }
}

/** Refusals that say nothing about the entry. */
const NO_VERDICTS: ReadonlySet<string> = new Set(["MODULE_TIMEOUT", "SHARD_UNAVAILABLE", "WRITES_PAUSED"]);

function isUnavailable(refusal: unknown): boolean {
  return isLunoraError(refusal) && NO_VERDICTS.has(refusal.code);
}

/** Its global tables could not be reached: it may have happened or not, and may come again. */
function isUnanswered(outcome: MutationOutcome): boolean {
  return !outcome.ok && outcome.error.code === "GLOBAL_UNAVAILABLE";
}

function failed(functionPath: string, error: unknown): MutationOutcome {
  return { ok: false, ...failureOf(functionPath, error) };
}

function toKept(outcome: MutationOutcome): Outcome {
  if (!outcome.ok) return { error: outcome.error };
  return outcome.result === undefined ? {} : { result: outcome.result };
}

/** A kept outcome, from its JSON; the status of a kept error is told by its code. */
function toOutcome(text: string): MutationOutcome {
  const { result, error } = JSON.parse(text) as Outcome;
  if (error !== undefined) return { ok: false, status: new LunoraError(error.code, error.message).status, error };
  return result === undefined ? { ok: true } : { ok: true, result, length: text.length };
}
