import { LunoraError } from "@lunora/errors";
import type { StreamFrame } from "@lunora/protocol";

import type { SocketConnection } from "./socket-connection.ts";
import type { HubHost, SocketHub } from "./socket-hub.ts";

/** The streams of sockets: they begin in the queue, and then go on beside it. */
export class SocketStreams {
  readonly #hub: SocketHub;
  readonly #host: HubHost;

  constructor(hub: SocketHub, host: HubHost) {
    this.#hub = hub;
    this.#host = host;
  }

  /** Begins after everything that arrived before. Settles when the stream is over. */
  async open(connection: SocketConnection, frame: StreamFrame, length: number): Promise<void> {
    const { id, query } = frame;
    const { streams, watch } = this.#host;
    if (streams === undefined)
      return this.#hub.refuse(connection, id, new LunoraError("NOT_IMPLEMENTED", "this app has no streams"), frame);
    this.leave(connection, id);
    const held = this.#hub.hold(connection, id, length, 1, frame);
    if (held === undefined) return;
    const key = `t${id}`;
    const subscription = this.#hub.admit(connection, key, id, length, frame);
    if (subscription === undefined) return this.#hub.release(connection, held);
    connection.streams.add(id);
    this.#hub.changed(connection);
    await this.#host.turn(async () => this.#hub.release(connection, held));
    const isWanted = (): boolean => !connection.isClosed && connection.subscriptions.has(key, subscription);
    if (!isWanted()) return;
    try {
      const { over } = await streams.open(connection, frame, isWanted);
      watch?.streamBegan(connection, id, query.functionPath, query.args);
      this.#hub.deliver();
      await over;
    } catch (error) {
      if (!isWanted()) return;
      this.ended(connection, id);
      this.#hub.refuse(connection, id, error, frame);
      this.#hub.deliver();
    }
  }

  /** A stream has told its end, or is given up. */
  ended(connection: SocketConnection, id: string): void {
    connection.streams.delete(id);
    this.#host.watch?.streamEnded(connection, id);
    if (connection.subscriptions.delete(`t${id}`)) this.#hub.saveSoon(connection);
  }

  leave(connection: SocketConnection, id: string): void {
    if (!connection.subscriptions.has(`t${id}`)) return;
    this.#host.streams?.leave(connection, id);
    this.ended(connection, id);
  }
}
