import type { SocketConnection } from "./socket-connection.ts";
import type { SubscribingFrame } from "./socket-hub.ts";
import type { Subscription } from "./subscription-list.ts";

/** What each kind of subscription needs of the sockets' hub. */
export interface SocketDesk {
  /** Takes room for a frame that waits; answers how much, or `undefined` when there is none, which the client is told. */
  hold(
    connection: SocketConnection,
    id: string,
    length: number,
    places: number,
    frame?: SubscribingFrame,
  ): number | undefined;
  /** Gives back what was held. */
  release(connection: SocketConnection, held: number): void;
  /** Notes a subscription; `undefined`: there are too many, which the client is told. `length`: characters of what came. */
  admit(
    connection: SocketConnection,
    key: string,
    id: string,
    length: number,
    frame?: SubscribingFrame,
  ): Subscription | undefined;
  /** Tells the client why. `frame`: what it subscribes with. */
  refuse(connection: SocketConnection, id: string, error: unknown, frame?: SubscribingFrame): void;
  /** Asks the app once for each path. Rejects with `FORBIDDEN_SHARD`. */
  authorize(connection: SocketConnection, path: string): Promise<void>;
  deliver(): void;
  /** What is kept of the connection is different now. */
  changed(connection: SocketConnection): void;
  /** The same, when nothing else is on its way that would lead to its being kept. */
  saveSoon(connection: SocketConnection): void;
}
