import { LunoraError } from "@lunora/errors";
import type { StreamFrame } from "@lunora/protocol";

import type { ShardWatch } from "../observing/shard-watch.ts";
import type { StreamPart } from "../streams/stream-host.ts";
import type { SocketConnection } from "./socket-connection.ts";
import type { Subscription } from "./subscription-list.ts";

/** What streams need of the sockets' hub. */
export interface SocketStreamsHost {
  /** Absent in apps without streams. */
  readonly streams: StreamPart | undefined;
  readonly watch: ShardWatch | undefined;
  /** Room for a frame that waits; `undefined`: there is none, which the client is told. */
  hold(connection: SocketConnection, frame: StreamFrame, length: number): number | undefined;
  release(connection: SocketConnection, held: number): void;
  /** `undefined`: the socket has too many subscriptions, which the client is told. */
  admit(connection: SocketConnection, key: string, frame: StreamFrame, length: number): Subscription | undefined;
  refuse(connection: SocketConnection, frame: StreamFrame, error: unknown): void;
  turn(run: () => Promise<void>): Promise<void>;
  deliver(): void;
  /** What is kept of the connection is different now. */
  changed(connection: SocketConnection): void;
  /** The same, when nothing else is on its way that would lead to its being kept. */
  saveSoon(connection: SocketConnection): void;
}

/** The streams of sockets: they begin in the queue, and then go on beside it. */
export class SocketStreams {
  readonly #host: SocketStreamsHost;

  constructor(host: SocketStreamsHost) {
    this.#host = host;
  }

  /** Begins after everything that arrived before. Settles when the stream is over. */
  async open(connection: SocketConnection, frame: StreamFrame, length: number): Promise<void> {
    const { id, query } = frame;
    const { streams, watch } = this.#host;
    if (streams === undefined)
      return this.#host.refuse(connection, frame, new LunoraError("NOT_IMPLEMENTED", "this app has no streams"));
    this.leave(connection, id);
    const held = this.#host.hold(connection, frame, length);
    if (held === undefined) return;
    const key = `t${id}`;
    const subscription = this.#host.admit(connection, key, frame, length);
    if (subscription === undefined) return this.#host.release(connection, held);
    connection.streams.add(id);
    this.#host.changed(connection);
    await this.#host.turn(async () => this.#host.release(connection, held));
    const isWanted = (): boolean => !connection.isClosed && connection.subscriptions.has(key, subscription);
    if (!isWanted()) return;
    try {
      const { over } = await streams.open(connection, frame, isWanted);
      watch?.streamBegan(connection, id, query.functionPath, query.args);
      this.#host.deliver();
      await over;
    } catch (error) {
      if (!isWanted()) return;
      this.ended(connection, id);
      this.#host.refuse(connection, frame, error);
      this.#host.deliver();
    }
  }

  /** A stream has told its end, or is given up. */
  ended(connection: SocketConnection, id: string): void {
    connection.streams.delete(id);
    this.#host.watch?.streamEnded(connection, id);
    if (connection.subscriptions.delete(`t${id}`)) this.#host.saveSoon(connection);
  }

  leave(connection: SocketConnection, id: string): void {
    if (!connection.subscriptions.has(`t${id}`)) return;
    this.#host.streams?.leave(connection, id);
    this.ended(connection, id);
  }
}
