import { callerKey } from "../idempotency.ts";
import type { MutationCall } from "../mutation-call.ts";

/**
 * What a mutation is known again by: the job that it is, its id with its caller, or its place in the sequence that its
 * client counts for this object and timeline. `undefined`: a call that is never repeated.
 */
export function globalKey(call: MutationCall, object: string, timeline: string): string | undefined {
  const { jobId, mutationId, identity, place } = call;
  const client = place?.client ?? call.client;
  if (jobId !== undefined) return JSON.stringify(["job", jobId]);
  if (mutationId !== undefined) return JSON.stringify(["id", callerKey(identity, client?.clientId), mutationId]);
  if (place === undefined) return undefined;
  return JSON.stringify(["place", object, timeline, place.client.userId, place.client.clientId, place.clientSeq]);
}
