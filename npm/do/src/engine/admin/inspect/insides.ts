import type { LunoraDefinition } from "@lunora/server";

import type { FunctionRunner } from "../../function-runner.ts";
import type { ShapePart } from "../../live/live-host.ts";
import type { MutationCall } from "../../mutation-call.ts";
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
  /** Mutations take their places in the queue; the only one is told by the id. */
  push(calls: readonly MutationCall[], id: string | undefined): void;
}
