import type { ShardEngine } from "../shard-engine.ts";
import type { SocketConnection } from "../sockets/socket-connection.ts";

/** Disturbs one shard on purpose. Comes with the observer, so that a worker that is deployed does not carry it. */
export interface ShardFaults {
  /** What of a socket's messages is handed over now; whatever is not comes later, or never. */
  through(connection: SocketConnection, messages: readonly string[]): readonly string[];
  /** Does, or arms, what `inspect/fault` asks. Rejects with `BAD_REQUEST` and `NOT_FOUND`. */
  inject(engine: ShardEngine, argument: unknown): Promise<unknown>;
}
