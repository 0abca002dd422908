import { FRAME_BYTES } from "@lunora/protocol";
import type { PushEntry, PushFrame, PushResult } from "@lunora/protocol";
import type { FunctionRegistryEntry } from "@lunora/server";

import type { MutationCall, OpenPush } from "../mutation-call.ts";
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
  const lengths = new ResultLengths();
  const push: OpenPush = { hasMisplaced: false };
  let open = entries.length;
  return entries.map((entry, index): MutationCall => {
    const { clientSeq, functionPath, args, mutationId } = entry;
    return {
      functionPath,
      args,
      identity,
      mutationId,
      place: { client, clientSeq, received: index === 0 ? received : undefined, push },
      admit: () => admit(connection, entry),
      done: (outcome) => {
        results[index] = outcome.ok
          ? { clientSeq, ...(outcome.result === undefined ? {} : { result: outcome.result }) }
          : { clientSeq, error: outcome.error };
        if (outcome.ok && outcome.length !== undefined)
          for (const place of lengths.add(index, outcome.length))
            results[place] = { clientSeq: (entries[place] as PushEntry).clientSeq };
        open -= 1;
        if (open === 0) done(results);
      },
    };
  });
}

/**
 * Forgets the longest results while they are longer together than a frame, in which they would be
 * left out anyway: a push of many must not hold them all until its last entry has ended.
 */
class ResultLengths {
  readonly #lengths = new Map<number, number>();
  #total = 0;

  /** Takes in one more; answers the places of those to leave out. */
  add(place: number, length: number): number[] {
    this.#lengths.set(place, length);
    this.#total += length;
    const out: number[] = [];
    while (this.#total > FRAME_BYTES) {
      const [longest] = [...this.#lengths].reduce((most, entry) => (entry[1] > most[1] ? entry : most));
      this.#total -= this.#lengths.get(longest) ?? 0;
      this.#lengths.delete(longest);
      out.push(longest);
    }
    return out;
  }
}
