import { LunoraError } from "@lunora/errors";

import type { ClientLedger, ClientOf } from "./client-ledger.ts";
import { callerKey } from "./idempotency.ts";
import type { ResultKeeper } from "./idempotency.ts";
import { NO_RESULT } from "./kept-outcome.ts";
import type { NamedOutcome } from "./kept-outcome.ts";
import type { MutationCall } from "./mutation-call.ts";

/**
 * How a mutation with this id ended when it came before, as JSON of an outcome: under another number of its
 * client, which has renumbered since, or as a call of its own. Throws `CONFLICT` when the id was another
 * function's.
 */
export function findKnown(
  ledger: ClientLedger,
  keeper: ResultKeeper,
  call: MutationCall,
  oldest: number,
): string | undefined {
  const { functionPath, mutationId } = call;
  if (mutationId === undefined) return undefined;
  const client = call.place?.client ?? call.client;
  const known = named(ledger, client, mutationId) ?? called(keeper, call, client, mutationId, oldest);
  if (known === undefined)
    return client !== undefined && ledger.isForgotten(client, mutationId) ? NO_RESULT : undefined;
  if (known.functionPath === functionPath) return known.text;
  throw new LunoraError(
    "CONFLICT",
    `the mutation id was used for \`${known.functionPath}\` before; every call needs an id of its own`,
  );
}

function named(ledger: ClientLedger, client: ClientOf | undefined, mutationId: string): NamedOutcome | undefined {
  return client === undefined ? undefined : ledger.named(client, mutationId);
}

/** Calls of nobody are kept under the client's id, or under no name when they came without. */
function called(
  keeper: ResultKeeper,
  { identity, repeatable }: MutationCall,
  client: ClientOf | undefined,
  mutationId: string,
  oldest: number,
): NamedOutcome | undefined {
  if (repeatable !== undefined) return keeper.find(repeatable, oldest);
  const own = keeper.find({ caller: callerKey(identity, client?.clientId), mutationId }, oldest);
  if (own !== undefined || identity !== null) return own;
  return keeper.find({ caller: callerKey(null, undefined), mutationId }, oldest);
}
