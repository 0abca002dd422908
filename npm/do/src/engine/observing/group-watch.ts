import { OBSERVED_CHANGES } from "@lunora/runtime";
import type { ObservedCall, ObservedCause, ObservedChange, ObservedCommit, Observer } from "@lunora/runtime";

import type { Change } from "../commit.ts";
import { clientKey } from "../live/flush.ts";
import type { Flush } from "../live/flush.ts";
import type { MutationCall, MutationOutcome } from "../mutation-call.ts";

/** When a call came, and what it is known by. */
export interface Arrival {
  readonly call: string;
  /** Epoch milliseconds. */
  readonly since: number;
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

/** Tells of a commit; `calls` are those that changed something. */
export function tellCommit(
  observer: Observer,
  object: string,
  at: number,
  { epoch, fromSeq, toSeq, changes }: Flush,
  by: ObservedCommit["by"],
  calls: readonly ObservedCause[],
): void {
  observer.tell({ type: "commit", at, object, epoch, fromSeq, toSeq, by, calls, ...changesOf(changes, fromSeq) });
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
  };
}

/** Tells how each call of a group ended; answers those that changed something. */
export function tellCalls(
  observer: Observer,
  object: string,
  at: number,
  calls: readonly MutationCall[],
  { outcomes, ends }: GroupResult,
  groupFrom: number,
): ObservedCause[] {
  const causes: ObservedCause[] = [];
  let fromSeq = groupFrom;
  for (const [index, outcome] of outcomes.entries()) {
    const call = calls[index] as MutationCall;
    const toSeq = groupFrom + (ends[index] ?? 0);
    const event = callEvent(object, at, call, outcome.ok ? "ok" : outcome.error.code);
    if (toSeq === fromSeq) observer.tell(event);
    else {
      observer.tell({ ...event, fromSeq, toSeq });
      causes.push({ call: event.call, functionPath: event.functionPath, fromSeq, toSeq });
      fromSeq = toSeq;
    }
  }
  return causes;
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

/** Tells whose sequence moved, and whose was not continued. */
export function tellWatermarks(
  observer: Observer,
  object: string,
  at: number,
  calls: readonly MutationCall[],
  outcomes: readonly MutationOutcome[],
  clients: Flush["clients"],
): void {
  const told = new Set<string>();
  for (const [index, outcome] of outcomes.entries()) {
    const client = calls[index]?.place?.client;
    if (client === undefined) continue;
    const { userId, clientId } = client;
    if (!outcome.ok && outcome.error.code === "OUT_OF_ORDER") {
      const { expected = 1 } = (outcome.error.data ?? {}) as { expected?: number };
      const lastMutationId = expected - 1;
      observer.tell({ type: "watermark", at, object, userId, clientId, lastMutationId, outcome: "OUT_OF_ORDER" });
      continue;
    }
    const key = clientKey(userId, clientId);
    const lastMutationId = clients.get(key);
    if (lastMutationId === undefined || told.has(key)) continue;
    told.add(key);
    observer.tell({ type: "watermark", at, object, userId, clientId, lastMutationId });
  }
}
