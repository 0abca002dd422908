import { clientKey } from "../live/flush.ts";
import type { SocketConnection } from "./socket-connection.ts";

/** Which sockets belong to a client: the same client id of the same identity. */
export class ClientSockets {
  readonly #sockets = new Map<string, Set<SocketConnection>>();

  /** A socket that says no client id belongs to none. */
  add(connection: SocketConnection): void {
    const key = keyOf(connection);
    if (key === undefined) return;
    const members = this.#sockets.get(key);
    if (members === undefined) this.#sockets.set(key, new Set([connection]));
    else members.add(connection);
  }

  remove(connection: SocketConnection): void {
    const key = keyOf(connection);
    const members = key === undefined ? undefined : this.#sockets.get(key);
    if (key !== undefined && members?.delete(connection) === true && members.size === 0) this.#sockets.delete(key);
  }

  /** `client` as `clientKey` writes it. */
  of(client: string): Iterable<SocketConnection> {
    return this.#sockets.get(client) ?? [];
  }
}

function keyOf({ clientId, identity }: SocketConnection): string | undefined {
  return clientId === undefined ? undefined : clientKey(identity?.userId ?? null, clientId);
}
