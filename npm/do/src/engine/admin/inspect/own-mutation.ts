import type { ShardCall } from "@lunora/runtime";
import type { FunctionRegistryEntry } from "@lunora/server";

import { calledMutation } from "../../called-mutation.ts";
import type { MutationOutcome } from "../../mutation-call.ts";
import type { ShardEngine } from "../../shard-engine.ts";

/** Runs a mutation in its turn, whether or not the app has it. Never rejects. */
export function mutate(engine: ShardEngine, entry: FunctionRegistryEntry, call: ShardCall): Promise<MutationOutcome> {
  return new Promise((resolve) => engine.insides.push([calledMutation(entry, call, resolve)], call.call));
}
