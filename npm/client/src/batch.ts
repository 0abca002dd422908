import type { LunoraError } from "@lunora/errors";
import type { BatchCall, CallArguments, FunctionKind, FunctionReference, ResultOf } from "@lunora/protocol";

/** A reference that a client may call. */
export type PublicReference<Kind extends FunctionKind = FunctionKind> = FunctionReference<
  Kind,
  unknown,
  unknown,
  "public"
>;

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
export interface PendingCall {
  readonly call: BatchCall & { readonly id: string };
  /** Queries and mutations with an id: sending them twice has the effect of once. */
  readonly isRepeatable: boolean;
}
