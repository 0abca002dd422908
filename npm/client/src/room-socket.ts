import { PATHS } from "@lunora/protocol";
import type { PresenceClientFrame, PresenceServerFrame } from "@lunora/protocol";

import type { ConnectionEvent } from "./connection.ts";
import type { ExtensionHost } from "./extension.ts";
import { createSocket } from "./server-socket.ts";
import type { ServerSocket } from "./server-socket.ts";
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
export interface RoomSocket extends ServerSocket<PresenceClientFrame> {
  /** Whether it is needed. A room that nobody looks at is left at once. */
  use(isNeeded: boolean): void;
}

export function createRoomSocket(host: ExtensionHost, listener: RoomListener): RoomSocket {
  const { path, room } = listener;
  const socket = createSocket<PresenceClientFrame>(host, {
    forbidden: "FORBIDDEN",
    address: () => [PATHS.presence, { path, room }],
    opened: () => listener.onOpen(),
    take(frame: PresenceServerFrame) {
      if (frame.type === "error" && frame.id === undefined) socket.reason = errorOf(frame.error);
      listener.onFrame(frame);
    },
    lost() {},
  });
  const { dispatch } = socket;
  return Object.assign(socket, {
    dispatch(event: ConnectionEvent) {
      dispatch(event);
      listener.onChange();
    },
    use(isNeeded: boolean) {
      socket.dispatch({ type: "need", isNeeded });
      if (!isNeeded) socket.dispatch({ type: "idle" });
    },
  });
}
