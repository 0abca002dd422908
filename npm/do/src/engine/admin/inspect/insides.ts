import type { ShardAnswer, ShardCall } from "@lunora/runtime";
import type { FunctionRegistryEntry, LunoraDefinition } from "@lunora/server";

import type { FunctionRunner } from "../../function-runner.ts";
import type { ShapePart } from "../../live/live-host.ts";
import type { MutationOutcome } from "../../mutation-call.ts";
import type { Pressure } from "../../pressure.ts";
import type { SocketHub } from "../../sockets/socket-hub.ts";

/** What the inspection of a shard looks into besides its rows and its log. */
export interface ShardInsides {
  readonly definition: LunoraDefinition;
  readonly runner: FunctionRunner;
  /** The platform's id of the object. */
  readonly objectId: string;
  /** Of the storage. */
  readonly bytes: number;
  readonly pressure: Pressure;
  readonly sockets: SocketHub;
  readonly shapes: ShapePart;
  /** Answers a call as if it had come from the Worker. */
  answer(call: ShardCall): Promise<ShardAnswer>;
  /** Runs a mutation in its turn, whether or not the app has it. Never rejects. */
  mutate(entry: FunctionRegistryEntry, call: ShardCall): Promise<MutationOutcome>;
}
