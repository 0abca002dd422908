import { LunoraError } from "@lunora/errors";
import { decodeValue, encodeValue } from "@lunora/protocol";
import type { FunctionRegistryEntry, Identity, RegisteredFunction } from "@lunora/server";

import type { ClientLedger, Outcome } from "./client-ledger.ts";
import { Commit } from "./commit.ts";
import type { Change } from "./commit.ts";
import type { Deadline } from "./deadline.ts";
import { failureOf } from "./function-runner.ts";
import type { FunctionRunner } from "./function-runner.ts";
import { assertKeepable, RESULT_LIFETIME } from "./idempotency.ts";
import type { ResultKeeper } from "./idempotency.ts";
import { idSource } from "./mutation-call.ts";
import type { MutationCall, MutationOutcome } from "./mutation-call.ts";
import { Session } from "./session.ts";
import type { SessionFacts } from "./session.ts";
import type { ShardScope } from "./shard-scope.ts";
import type { SqlStorage } from "./sql.ts";
import type { Table } from "./table.ts";
import { judge } from "./watermark.ts";

/** How long a group goes on taking members, milliseconds: readers wait for it. */
const GROUP_TIME = 1_000;

/** What a group needs of its shard. */
export interface GroupHost {
  readonly storage: SqlStorage;
  readonly scope: ShardScope;
  readonly runner: FunctionRunner;
  readonly ledger: ClientLedger;
  readonly keeper: ResultKeeper;
  readonly deadline: Deadline;
  now(): number;
  facts(identity: Identity | null, now: number, commit: Commit, newId: (table: Table) => string): SessionFacts;
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
  /** In order of commit; those of members that failed are not among them. */
  readonly changes: Change[] = [];
  /** How many handlers ran. */
  ran = 0;

  constructor(host: GroupHost, calls: readonly MutationCall[]) {
    this.#host = host;
    this.#calls = calls;
  }

  /** Finds the functions and asks for permission, before anything is locked. */
  async admit(): Promise<void> {
    for (const call of this.#calls) {
      try {
        const answer = call.admit();
        const entry = answer instanceof Promise ? await answer : answer;
        const { runner } = this.#host;
        const registered = runner.loaded(call.functionPath) ?? (await runner.load(call.functionPath, entry));
        this.#admitted.push({ entry, registered });
      } catch (refusal) {
        this.#admitted.push({ refusal });
      }
    }
  }

  /**
   * Runs members, one after the other, inside the group's transaction. Errors of members are their
   * outcomes; what is thrown here ends the transaction.
   */
  async run(): Promise<void> {
    const started = this.#host.now();
    try {
      for (const [index, call] of this.#calls.entries()) {
        if (index > 0 && this.#host.now() - started > GROUP_TIME) return;
        this.outcomes.push(await this.#runOne(call, this.#admitted[index] as Admitted));
      }
    } finally {
      this.#host.deadline.stop();
    }
  }

  async #runOne(call: MutationCall, admitted: Admitted): Promise<MutationOutcome> {
    const { ledger, keeper } = this.#host;
    const { place, repeatable, functionPath } = call;
    const now = this.#host.now();
    if (place !== undefined) {
      if (place.received !== undefined) ledger.receive(place.client, place.received);
      const verdict = judge(place.clientSeq, ledger.watermark(place.client));
      if (verdict.kind === "refused") return failed(functionPath, verdict.error);
      if (verdict.kind === "decided") return toOutcome(ledger.outcome(place.client, place.clientSeq as number));
    } else if (repeatable !== undefined) {
      try {
        const kept = keeper.find(repeatable, functionPath, now - RESULT_LIFETIME);
        if (kept !== undefined) return { ok: true, ...kept };
      } catch (error) {
        return failed(functionPath, error);
      }
    }
    const outcome = await this.#handle(call, admitted, now);
    if (place !== undefined) ledger.decide(place.client, place.clientSeq as number, toKept(outcome));
    return outcome;
  }

  async #handle(call: MutationCall, admitted: Admitted, now: number): Promise<MutationOutcome> {
    const { functionPath, identity, place, repeatable } = call;
    const { storage, scope, runner, deadline, keeper } = this.#host;
    if ("refusal" in admitted) return failed(functionPath, admitted.refusal);
    const commit = new Commit(storage);
    const session = new Session(this.#host.facts(identity, now, commit, idSource(scope, call.mutationId)));
    this.ran += 1;
    let outcome: MutationOutcome;
    try {
      const value = await deadline.run(
        () =>
          runner.run(session, identity, functionPath, admitted.entry.kind, admitted.registered, decodeValue(call.args)),
        () => session.abort(),
        () => `\`${functionPath}\``,
      );
      const result = encodeValue(value);
      outcome = result === undefined ? { ok: true } : { ok: true, result };
      if (place !== undefined) assertKeepable(functionPath, JSON.stringify(result ?? null));
      else if (repeatable !== undefined) keeper.keep(repeatable, functionPath, result);
    } catch (error) {
      if (commit.failure !== undefined) throw commit.failure;
      commit.revoke();
      outcome = failed(functionPath, error);
    }
    // Also when the handler caught it: SQLite may have rolled back the members before.
    if (commit.failure !== undefined) throw commit.failure;
    commit.close();
    for (const change of commit.changes) this.changes.push(change);
    return outcome;
  }
}

function failed(functionPath: string, error: unknown): MutationOutcome {
  return { ok: false, ...failureOf(functionPath, error) };
}

function toKept(outcome: MutationOutcome): Outcome {
  if (!outcome.ok) return { error: outcome.error };
  return outcome.result === undefined ? {} : { result: outcome.result };
}

/** A kept outcome; the status of a kept error is told by its code. */
function toOutcome({ result, error }: Outcome): MutationOutcome {
  if (error !== undefined) return { ok: false, status: new LunoraError(error.code, error.message).status, error };
  return result === undefined ? { ok: true } : { ok: true, result };
}
