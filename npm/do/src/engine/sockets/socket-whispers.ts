import type { SocketConnection } from "./socket-connection.ts";
import type { HubHost, SocketHub } from "./socket-hub.ts";
import { Whispers } from "./whispers.ts";

/** The whispers of sockets: the app is asked about each topic. */
export class SocketWhispers {
  readonly #hub: SocketHub;
  readonly #host: HubHost;
  readonly #whispers = new Whispers();

  constructor(hub: SocketHub, host: HubHost) {
    this.#hub = hub;
    this.#host = host;
  }

  join(connection: SocketConnection, topic: string): void {
    const subscription = this.#hub.admit(connection, `w${topic}`, topic, 0);
    if (subscription === undefined) return;
    this.#hub.authorize(connection, `whisper:${topic}`).then(
      () => {
        if (!connection.subscriptions.has(`w${topic}`)) return;
        this.#whispers.join(connection, topic);
        this.#hub.saveSoon(connection);
      },
      (error: unknown) => {
        connection.subscriptions.delete(`w${topic}`, subscription);
        this.#hub.refuse(connection, topic, error);
        this.#hub.deliver();
      },
    );
  }

  /** The socket slept, and had joined. */
  rejoin(connection: SocketConnection, topic: string): void {
    if (connection.subscriptions.has(`w${topic}`)) this.#whispers.join(connection, topic);
  }

  leave(connection: SocketConnection, topic: string): void {
    if (connection.subscriptions.delete(`w${topic}`)) this.#hub.saveSoon(connection);
    this.#whispers.leave(connection, topic);
  }

  send(connection: SocketConnection, topic: string, data: unknown): void {
    try {
      // Before the app is asked, which may cost it something.
      this.#whispers.spend(connection, this.#host.now());
    } catch (error) {
      return this.#hub.refuse(connection, topic, error);
    }
    this.#hub
      .authorize(connection, `whisper:${topic}`)
      .then(() => this.#whispers.send(connection, topic, data))
      .catch((error: unknown) => this.#hub.refuse(connection, topic, error))
      .finally(() => this.#hub.deliver());
  }

  close(connection: SocketConnection): void {
    this.#whispers.close(connection);
  }
}
