import { PATHS } from "@lunora/protocol";
import type { PresenceClientFrame, PresenceServerFrame } from "@lunora/protocol";

import type { ConnectionEvent } from "./connection.ts";
import type { ExtensionHost } from "./extension.ts";
import { ServerSocket } from "./server-socket.ts";
import { errorOf } from "./transport.ts";

/** Who a socket of a room tells. */
export interface RoomListener {
  readonly path: string;
  readonly room: string;
  /** The socket is open. */
  onOpen(): void;
  onFrame(frame: PresenceServerFrame): void;
  /** The connection may be in another state. */
  onChange(): void;
}

/** The socket of one room. */
export class RoomSocket extends ServerSocket<ExtensionHost, PresenceClientFrame> {
  readonly #listener: RoomListener;
  protected readonly forbidden = "FORBIDDEN" as const;

  constructor(host: ExtensionHost, listener: RoomListener) {
    super(host);
    this.#listener = listener;
  }

  /** Whether it is needed. A room that nobody looks at is left at once. */
  use(isNeeded: boolean): void {
    this.dispatch({ type: "need", isNeeded });
    if (!isNeeded) this.dispatch({ type: "timer", timer: "idle" });
  }

  protected address(): readonly [string, Readonly<Record<string, string>>] {
    const { path, room } = this.#listener;
    return [PATHS.presence, { path, room }];
  }

  protected opened(): void {
    this.#listener.onOpen();
  }

  protected take(frame: PresenceServerFrame): void {
    if (frame.type === "error" && frame.id === undefined) this.complaint = errorOf(frame.error);
    this.#listener.onFrame(frame);
  }

  protected lost(): void {}

  override dispatch(event: ConnectionEvent): void {
    super.dispatch(event);
    this.#listener.onChange();
  }
}
