import type { LunoraDefinition } from "@lunora/server";

import type { FunctionRunner } from "../../function-runner.ts";
import type { ShapePart } from "../../live/live-host.ts";
import type { MutationCall } from "../../mutation-call.ts";
import type { ShardWatch } from "../../observing/shard-watch.ts";
import type { Pressure } from "../../pressure.ts";
import type { ShardHost } from "../../shard-host.ts";
import type { SocketHub } from "../../sockets/socket-hub.ts";

/** What the inspection of a shard looks into besides its rows and its log. */
export interface ShardInsides {
  readonly definition: LunoraDefinition;
  readonly runner: FunctionRunner;
  readonly host: ShardHost;
  /** Absent unless somebody listens. */
  readonly watch: ShardWatch | undefined;
  readonly pressure: Pressure;
  readonly sockets: SocketHub;
  readonly shapes: ShapePart;
  /** Mutations take their places in the queue; the only one is told by the id. */
  push(calls: readonly MutationCall[], id: string | undefined): void;
}
