import { decodeValue } from "@lunora/protocol";
import type { ShardAnswer, ShardCall } from "@lunora/runtime";
import type { FunctionRegistryEntry, Identity } from "@lunora/server";

import { callerKey } from "./idempotency.ts";
import type { MutationCall, MutationOutcome } from "./mutation-call.ts";

/** A call over HTTP as a mutation that waits. Its caller was admitted by the Worker. */
export function calledMutation(
  entry: FunctionRegistryEntry,
  call: ShardCall,
  done: (outcome: MutationOutcome, place: MutationCall["place"]) => void,
): MutationCall {
  const { functionPath, args, clientId, clientSeq, jobId } = call;
  // A job is told by its own id, for longer than a mutation is by its.
  const mutationId = jobId === undefined ? call.mutationId : undefined;
  const identity = identityOf(call);
  const client = clientId === undefined ? undefined : { userId: identity?.userId ?? null, clientId };
  const place = clientSeq === undefined || client === undefined ? undefined : { client, clientSeq };
  return {
    functionPath,
    args,
    identity,
    mutationId,
    jobId,
    repeatable:
      mutationId === undefined || place !== undefined
        ? undefined
        : { caller: callerKey(identity, clientId), mutationId },
    place,
    client,
    admit: () => entry,
    done: (outcome) => done(outcome, place),
  };
}

export function toAnswer(
  outcome: MutationOutcome,
  commitCursor: number,
  lastMutationId: number | undefined,
): ShardAnswer {
  if (!outcome.ok) return { ok: false, status: outcome.status, body: { error: outcome.error } };
  return {
    ok: true,
    body: {
      ...(outcome.result === undefined ? {} : { result: outcome.result }),
      commitCursor,
      ...(lastMutationId === undefined ? {} : { lastMutationId }),
    },
  };
}

export function identityOf({ identity }: ShardCall): Identity | null {
  return decodeValue(identity) as Identity | null;
}
