import { CodedError, isLunoraError } from "@lunora/errors";
import type { LunoraError } from "@lunora/errors";
import { encodeValue, ID_RANDOM_BYTES, MAX_BATCH_CALLS, mintId, PATHS } from "@lunora/protocol";
import type { BatchCall, CallArguments, ResultOf } from "@lunora/protocol";

import type { LunoraClient } from "./client.ts";
import type { ExtensionHost } from "./extension.ts";
import type { Http } from "./http.ts";
import { isTransient } from "./retry.ts";
import { failureOf, isObject, resultOf } from "./transport.ts";
import type { PostAnswer } from "./transport.ts";
import type { PublicReference } from "./types.ts";

/** One call of a batch; made by {@link batchCall}. */
export interface BatchEntry<Reference extends PublicReference = PublicReference> {
  readonly reference: Reference;
  readonly args: unknown;
}

/** Pairs a reference with its arguments, checked as in a call of its own. */
export function batchCall<Reference extends PublicReference>(
  reference: Reference,
  ...[args]: CallArguments<Reference>
): BatchEntry<Reference> {
  return { reference, args };
}

/** How one call of a batch ended. */
export type Settled<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: LunoraError };

/** How each call of a batch ended, in the order of the calls. */
export type BatchResults<Entries extends readonly BatchEntry[]> = {
  [Position in keyof Entries]: Settled<ResultOf<Entries[Position]["reference"]>>;
};

/** A call on its way. */
interface PendingCall {
  readonly call: BatchCall & { readonly id: string };
  /** Queries and mutations with an id: sending them twice has the effect of once. */
  readonly isRepeatable: boolean;
}

/** Several calls in one request (500 each); one that fails does not fail the others. */
export async function batch<const Entries extends readonly BatchEntry[]>(
  client: LunoraClient,
  entries: Entries,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<BatchResults<Entries>> {
  const { http, environment } = client.extension(offered);
  const settled = new Map<string, Settled<unknown>>();
  let pending = entries.map((entry, position) => pendingCall(entry, String(position), environment.randomBytes));
  for (let failures = 0; pending.length > 0;) {
    for (let start = 0; start < pending.length; start += MAX_BATCH_CALLS)
      await sendChunk(http, pending.slice(start, start + MAX_BATCH_CALLS), settled, signal);
    failures++;
    if (failures >= http.retry.attempts) break;
    pending = pending.filter(({ call, isRepeatable }) => {
      const outcome = settled.get(call.id);
      return isRepeatable && outcome?.ok === false && isTransient(outcome.error);
    });
    if (pending.length > 0) await http.pause(failures, signal);
  }
  return entries.map((_, position) => settled.get(String(position))) as unknown as BatchResults<Entries>;
}

function offered(host: ExtensionHost): ExtensionHost {
  return host;
}

function pendingCall(
  { reference, args }: BatchEntry,
  id: string,
  randomBytes: (length: number) => Uint8Array,
): PendingCall {
  return {
    call: {
      id,
      functionPath: reference.path,
      args: encodeValue(args ?? {}),
      ...(reference.kind === "mutation" ? { mutationId: mintId(randomBytes(ID_RANDOM_BYTES)) } : {}),
    },
    isRepeatable: reference.kind !== "action",
  };
}

/** Settles every call of the chunk; what the server said nothing about is a transient failure. */
async function sendChunk(
  http: Http,
  chunk: readonly PendingCall[],
  settled: Map<string, Settled<unknown>>,
  signal: AbortSignal | undefined,
): Promise<void> {
  let slots: ReadonlyMap<string, unknown>;
  let verdict: LunoraError = new CodedError(
    "SHARD_ERROR",
    503,
    "The server's answer to the batch leaves this call out",
  );
  try {
    slots = slotsOf(await http.post(PATHS.rpcBatch, { calls: chunk.map(({ call }) => call) }, signal));
  } catch (failure) {
    if (!isLunoraError(failure)) throw failure;
    slots = new Map();
    verdict = failure;
  }
  for (const { call } of chunk)
    settled.set(call.id, slots.has(call.id) ? settle(slots.get(call.id)) : { ok: false, error: verdict });
}

function slotsOf(answer: PostAnswer): ReadonlyMap<string, unknown> {
  const results = isObject(answer.body) ? answer.body["results"] : undefined;
  if (!Array.isArray(results)) throw failureOf(answer);
  return new Map(results.filter(isObject).map((slot) => [String(slot["id"]), slot["body"]]));
}

function settle(body: unknown): Settled<unknown> {
  try {
    return { ok: true, value: resultOf({ status: 200, body }) };
  } catch (failure) {
    if (!isLunoraError(failure)) throw failure;
    return { ok: false, error: failure };
  }
}
