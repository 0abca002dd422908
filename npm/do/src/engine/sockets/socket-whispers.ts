import type { SocketConnection } from "./socket-connection.ts";
import type { Subscription } from "./subscription-list.ts";
import { Whispers } from "./whispers.ts";

/** What whispers need of the sockets' hub. */
export interface SocketWhispersHost {
  now(): number;
  /** `undefined`: the socket has too many subscriptions, which the client is told. */
  admit(connection: SocketConnection, key: string, topic: string): Subscription | undefined;
  /** Rejects with `FORBIDDEN_SHARD`. */
  authorize(connection: SocketConnection, path: string): Promise<void>;
  refuse(connection: SocketConnection, topic: string, error: unknown): void;
  deliver(): void;
  /** What is kept of the connection is different now. */
  saveSoon(connection: SocketConnection): void;
}

const keyOf = (topic: string): string => `w${topic}`;
const pathOf = (topic: string): string => `whisper:${topic}`;

/** The whispers of sockets: the app is asked about each topic. */
export class SocketWhispers {
  readonly #host: SocketWhispersHost;
  readonly #whispers = new Whispers();

  constructor(host: SocketWhispersHost) {
    this.#host = host;
  }

  join(connection: SocketConnection, topic: string): void {
    const subscription = this.#host.admit(connection, keyOf(topic), topic);
    if (subscription === undefined) return;
    this.#host.authorize(connection, pathOf(topic)).then(
      () => {
        if (!connection.subscriptions.has(keyOf(topic))) return;
        this.#whispers.join(connection, topic);
        this.#host.saveSoon(connection);
      },
      (error: unknown) => {
        connection.subscriptions.delete(keyOf(topic), subscription);
        this.#host.refuse(connection, topic, error);
        this.#host.deliver();
      },
    );
  }

  /** The socket slept, and had joined. */
  rejoin(connection: SocketConnection, topic: string): void {
    if (connection.subscriptions.has(keyOf(topic))) this.#whispers.join(connection, topic);
  }

  leave(connection: SocketConnection, topic: string): void {
    if (connection.subscriptions.delete(keyOf(topic))) this.#host.saveSoon(connection);
    this.#whispers.leave(connection, topic);
  }

  send(connection: SocketConnection, topic: string, data: unknown): void {
    try {
      // Before the app is asked, which may cost it something.
      this.#whispers.spend(connection, this.#host.now());
    } catch (error) {
      return this.#host.refuse(connection, topic, error);
    }
    this.#host
      .authorize(connection, pathOf(topic))
      .then(() => this.#whispers.send(connection, topic, data))
      .catch((error: unknown) => this.#host.refuse(connection, topic, error))
      .finally(() => this.#host.deliver());
  }

  close(connection: SocketConnection): void {
    this.#whispers.close(connection);
  }
}
