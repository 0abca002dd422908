import type { SocketConnection } from "./socket-connection.ts";
import type { SocketDesk } from "./socket-desk.ts";
import type { HubHost } from "./socket-hub.ts";
import { Whispers } from "./whispers.ts";

/** The whispers of sockets: the app is asked about each topic. */
export class SocketWhispers {
  readonly #desk: SocketDesk;
  readonly #host: HubHost;
  readonly #whispers = new Whispers();

  constructor(desk: SocketDesk, host: HubHost) {
    this.#desk = desk;
    this.#host = host;
  }

  join(connection: SocketConnection, topic: string): void {
    const subscription = this.#desk.admit(connection, `w${topic}`, topic, 0);
    if (subscription === undefined) return;
    this.#desk.authorize(connection, `whisper:${topic}`).then(
      () => {
        if (!connection.subscriptions.has(`w${topic}`)) return;
        this.#whispers.join(connection, topic);
        this.#desk.saveSoon(connection);
      },
      (error: unknown) => {
        connection.subscriptions.delete(`w${topic}`, subscription);
        this.#desk.refuse(connection, topic, error);
        this.#desk.deliver();
      },
    );
  }

  /** The socket slept, and had joined. */
  rejoin(connection: SocketConnection, topic: string): void {
    if (connection.subscriptions.has(`w${topic}`)) this.#whispers.join(connection, topic);
  }

  leave(connection: SocketConnection, topic: string): void {
    if (connection.subscriptions.delete(`w${topic}`)) this.#desk.saveSoon(connection);
    this.#whispers.leave(connection, topic);
  }

  send(connection: SocketConnection, topic: string, data: unknown): void {
    try {
      // Before the app is asked, which may cost it something.
      this.#whispers.spend(connection, this.#host.now());
    } catch (error) {
      return this.#desk.refuse(connection, topic, error);
    }
    this.#desk
      .authorize(connection, `whisper:${topic}`)
      .then(() => this.#whispers.send(connection, topic, data))
      .catch((error: unknown) => this.#desk.refuse(connection, topic, error))
      .finally(() => this.#desk.deliver());
  }

  close(connection: SocketConnection): void {
    this.#whispers.close(connection);
  }
}
