import type { PushEntry, PushFrame, PushResult } from "@lunora/protocol";
import type { FunctionRegistryEntry } from "@lunora/server";

import type { MutationCall } from "../mutation-call.ts";
import type { SocketConnection } from "./socket-connection.ts";

/** The entries of a push as mutations that wait. */
export function pushedCalls(
  connection: SocketConnection,
  { clientId, entries, received }: PushFrame,
  admit: (connection: SocketConnection, entry: PushEntry) => FunctionRegistryEntry | Promise<FunctionRegistryEntry>,
  done: (results: PushResult[]) => void,
): MutationCall[] {
  const { identity } = connection;
  const client = { userId: identity?.userId ?? null, clientId };
  const results: PushResult[] = [];
  let open = entries.length;
  return entries.map((entry, index): MutationCall => {
    const { clientSeq, functionPath, args, mutationId } = entry;
    return {
      functionPath,
      args,
      identity,
      mutationId,
      place: { client, clientSeq, received: index === 0 ? received : undefined },
      admit: () => admit(connection, entry),
      done: (outcome) => {
        results[index] = outcome.ok
          ? { clientSeq, ...(outcome.result === undefined ? {} : { result: outcome.result }) }
          : { clientSeq, error: outcome.error };
        open -= 1;
        if (open === 0) done(results);
      },
    };
  });
}
