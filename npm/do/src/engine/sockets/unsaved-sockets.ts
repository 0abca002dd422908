import { failureOf } from "../function-runner.ts";
import { SAVE_DELAY, saveDelay } from "./save-delay.ts";
import type { SocketConnection } from "./socket-connection.ts";

export interface UnsavedSocketsHost {
  /** How long what changes may wait, milliseconds. */
  readonly delay?: number | undefined;
  /** Nothing is in the shard's queue. */
  isIdle(): boolean;
  save(connection: SocketConnection): void;
}

/** Sockets whose kept state is not what it is. */
export class UnsavedSockets {
  readonly #host: UnsavedSocketsHost;
  readonly #sockets = new Set<SocketConnection>();
  readonly #saveLater: () => void;

  constructor(host: UnsavedSocketsHost) {
    this.#host = host;
    this.#saveLater = saveDelay(host.delay ?? SAVE_DELAY, host.isIdle, () => this.#save());
  }

  add(connection: SocketConnection): void {
    this.#sockets.add(connection);
  }

  delete(connection: SocketConnection): void {
    this.#sockets.delete(connection);
  }

  /** The shard has nothing else to do. What changed is kept soon, since only then it can fall asleep. */
  idle(): void {
    if (this.#sockets.size > 0) this.#saveLater();
  }

  #save(): void {
    for (const connection of this.#sockets) {
      try {
        this.#host.save(connection);
        this.#sockets.delete(connection);
      } catch (error) {
        // It is tried again; should the shard sleep before, the socket is closed when it wakes.
        failureOf("the state of a socket", error);
      }
    }
  }
}
