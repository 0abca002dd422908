import { decodeValue, HEADERS } from "@lunora/protocol";
import type { Identity } from "@lunora/server";

import type { HostSocket } from "./engine/sockets/host-socket.ts";

/** Only the Worker reaches `fetch`: what it says in these headers it has established itself. */
export function callerOf(request: Request): Identity | null {
  const text = request.headers.get(HEADERS.identity);
  return text === null ? null : (decodeValue(JSON.parse(text)) as Identity | null);
}

/** A socket, as the engine sees it. */
export class PlatformSocket implements HostSocket {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  get bufferedAmount(): number {
    // Absent from older releases of the platform's types.
    return (this.#socket as { bufferedAmount?: number }).bufferedAmount ?? 0;
  }

  send(text: string): void {
    try {
      this.#socket.send(text);
    } catch {
      // The peer is gone; the close event that says so is on its way.
    }
  }

  close(code: number, reason: string): void {
    try {
      this.#socket.close(code, reason.slice(0, 100));
    } catch {
      // Closed already.
    }
  }

  keep(text: string): void {
    this.#socket.serializeAttachment(text);
  }

  kept(): string | undefined {
    const text: unknown = this.#socket.deserializeAttachment();
    return typeof text === "string" ? text : undefined;
  }
}
