import { failureOf } from "../function-runner.ts";
import { SAVE_DELAY, saveDelay } from "./save-delay.ts";
import type { SocketConnection } from "./socket-connection.ts";

export interface UnsavedSocketsHost {
  /** How long what changes may wait to be kept, milliseconds. */
  readonly saveDelay?: number | undefined;
  /** Nothing is in the shard's queue. */
  isIdle(): boolean;
}

/** Sockets whose kept state is not what it is. */
export class UnsavedSockets extends Set<SocketConnection> {
  readonly #saveLater: () => void;

  constructor(host: UnsavedSocketsHost, save: (connection: SocketConnection) => void) {
    super();
    this.#saveLater = saveDelay(host.saveDelay ?? SAVE_DELAY, host.isIdle, () => {
      for (const connection of this) {
        try {
          save(connection);
          this.delete(connection);
        } catch (error) {
          // It is tried again; should the shard sleep before, the socket is closed when it wakes.
          failureOf("the state of a socket", error);
        }
      }
    });
  }

  /** The shard has nothing else to do. What changed is kept soon, since only then it can fall asleep. */
  idle(): void {
    if (this.size > 0) this.#saveLater();
  }
}
