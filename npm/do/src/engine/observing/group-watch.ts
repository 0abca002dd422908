import { OBSERVED_CHANGES } from "@lunora/runtime";
import type { ObservedCall, ObservedChange, ObservedCommit, ObservedScope, Observer } from "@lunora/runtime";

import type { Change } from "../commit.ts";
import type { Flush } from "../live/flush.ts";
import type { MutationCall, MutationOutcome } from "../mutation-call.ts";

/** When a call came, and what it is known by. */
export interface Arrival {
  readonly call: string;
  /** Epoch milliseconds. */
  readonly since: number;
  /** The call that made it. */
  readonly parent?: string | undefined;
}

/** An arrival whose id is made when somebody asks: most calls that are not told need none. */
export class Arrived implements Arrival {
  readonly since: number;
  readonly parent: string | undefined;
  readonly #observer: Observer;
  #call: string | undefined;

  /** `call`: what it is known by already. */
  constructor(observer: Observer, since: number, call?: string, parent?: string) {
    this.#observer = observer;
    this.since = since;
    this.#call = call;
    this.parent = parent;
  }

  get call(): string {
    return (this.#call ??= this.#observer.nextId());
  }
}

/** Gives calls an arrival that have none, which came when it seemed that they would not be told. `now`: epoch milliseconds. */
export function noteArrivals(
  observer: Observer,
  calls: readonly Pick<MutationCall, "observed">[],
  now: () => number,
): void {
  for (const call of calls) call.observed ??= new Arrived(observer, now());
}

/** What is told of a call of a group. */
export type RanCall = Pick<
  MutationCall,
  "functionPath" | "args" | "identity" | "mutationId" | "jobId" | "place" | "client" | "observed"
>;

/** A group that is on its way to disk: told at once, since a call of its own for each would cost several times as much. */
export interface RanGroup {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly object: string;
  /** Those that ran, and maybe more behind them. */
  readonly calls: readonly RanCall[];
  /** Why each of those that ran failed; `undefined` of one that did not. */
  readonly codes: readonly (string | undefined)[];
  /** For each of them, how many changes there were when it had ended. */
  readonly ends: readonly number[];
  readonly flush: Flush;
}

/** An observer that takes groups. */
export interface GroupObserver extends Observer {
  ran(group: RanGroup): void;
  /** Whether calls, groups and pokes are not to be told one by one: enough was told in this second. */
  isSated(): boolean;
  /**
   * Log lines that belong to nothing else belong to this scope, until another is lent, or `undefined`, or until a time in epoch
   * milliseconds: costs nothing, where `within` does. Code that is given nothing to run in is not told apart, so it is for what
   * runs alone.
   */
  lend(scope: ObservedScope | undefined, until: number): void;
  /** Counts events that were not put together; what is said of a group all the same is the observer's. `at`: epoch milliseconds. */
  skip(count: number, at: number, group?: RanGroup): void;
}

/** A group that has run. */
export interface GroupResult {
  /** Of its first members, in their order. */
  readonly outcomes: readonly MutationOutcome[];
  /** For each of them, how many changes there were when it had ended. */
  readonly ends: readonly number[];
  readonly changes: readonly Change[];
}

function changesOf(changes: readonly Change[], fromSeq: number): Pick<ObservedCommit, "changes" | "omitted"> {
  const told = changes.slice(0, OBSERVED_CHANGES).map(({ table, id, before, after }, index): ObservedChange => ({
    seq: fromSeq + index + 1,
    table: table.name,
    id,
    op: after === undefined ? "delete" : before === undefined ? "insert" : "update",
    ...(before === undefined ? {} : { before: before.doc }),
    ...(after === undefined ? {} : { after: after.doc }),
  }));
  const omitted = changes.length - told.length;
  return omitted === 0 ? { changes: told } : { changes: told, omitted };
}

/** How many events the inspector makes of a group: a call each, a commit, and where sequences are. */
export function eventsOf({ codes, flush }: RanGroup): number {
  return codes.length + (flush.changes.length > 0 ? 1 : 0) + (flush.clients.size > 0 ? 1 : 0);
}

/** Tells of a commit of no group. */
export function tellCommit(
  observer: Observer,
  object: string,
  at: number,
  { epoch, fromSeq, toSeq, changes }: Flush,
  by: ObservedCommit["by"],
): void {
  observer.tell({ type: "commit", at, object, epoch, fromSeq, toSeq, by, calls: [], ...changesOf(changes, fromSeq) });
}

function callEvent(
  object: string,
  at: number,
  call: MutationCall,
  outcome: string,
): Omit<ObservedCall, "fromSeq" | "toSeq"> {
  const { functionPath, args, identity, mutationId, jobId, place, observed } = call;
  const clientId = (place?.client ?? call.client)?.clientId;
  return {
    type: "call",
    at,
    object,
    call: observed?.call ?? "",
    kind: jobId === undefined ? "mutation" : "job",
    functionPath,
    args,
    userId: identity?.userId ?? null,
    ...(clientId === undefined ? {} : { clientId }),
    ...(mutationId === undefined ? {} : { mutationId }),
    ...(place === undefined ? {} : { clientSeq: place.clientSeq }),
    outcome,
    ms: at - (observed?.since ?? at),
    ...(observed?.parent === undefined ? {} : { parent: observed.parent }),
  };
}

/** Tells the calls of a group that is lost, and with it everything that they did. */
export function tellLost(
  observer: Observer,
  object: string,
  at: number,
  calls: readonly MutationCall[],
  code: string,
): void {
  for (const call of calls) observer.tell(callEvent(object, at, call, code));
}

/** Tells whose sequence was not continued; whose moved is told with the group. */
export function tellMisplaced(
  observer: Observer,
  object: string,
  at: number,
  calls: readonly MutationCall[],
  outcomes: readonly MutationOutcome[],
): void {
  for (let index = 0; index < outcomes.length; index += 1) {
    const outcome = outcomes[index];
    if (outcome === undefined || outcome.ok || outcome.error.code !== "OUT_OF_ORDER") continue;
    const client = calls[index]?.place?.client;
    if (client === undefined) continue;
    const { userId, clientId } = client;
    const { expected = 1 } = (outcome.error.data ?? {}) as { expected?: number };
    const place = { userId, clientId, lastMutationId: expected - 1, outcome: "OUT_OF_ORDER" };
    observer.tell({ type: "watermark", at, object, clients: [place] });
  }
}

/** Calls of a group that changed something. */
export function writersOf(calls: readonly MutationCall[], ends: readonly number[]): string[] {
  return ends.flatMap((end, index) => (end > (ends[index - 1] ?? 0) ? (calls[index]?.observed?.call ?? []) : []));
}
