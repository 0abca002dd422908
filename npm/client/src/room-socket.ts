import { LunoraError } from "@lunora/errors";
import { CLOSE_CODES, PING, PONG } from "@lunora/protocol";
import type { PresenceClientFrame, PresenceServerFrame } from "@lunora/protocol";

import { INITIAL_CONNECTION, stepConnection } from "./connection.ts";
import type { ConnectionEffect, ConnectionEvent, ConnectionState, Timer } from "./connection.ts";
import type { ClientSocket } from "./environment.ts";
import type { ExtensionHost } from "./extension.ts";
import { errorOf } from "./transport.ts";

/** What a socket of a room tells, and what it asks for. */
export interface RoomSocketHost {
  address(): string;
  protocols(token: string | null): string[];
  /** The socket is open. */
  onOpen(): void;
  onFrame(frame: PresenceServerFrame): void;
  /** The connection is in another state. */
  onChange(): void;
}

/** The socket of one room: does what `stepConnection` decides. */
export class RoomSocket {
  state: ConnectionState = INITIAL_CONNECTION;
  /** Why the server does not want this page there. */
  refusal: LunoraError | undefined;
  readonly #host: ExtensionHost;
  readonly #room: RoomSocketHost;
  readonly #timers = new Map<Timer, () => void>();
  #socket: ClientSocket | undefined;
  #complaint: LunoraError | undefined;
  /** Of the attempt to connect: what an earlier one brings does not count. */
  #generation = 0;
  #token: string | null = null;

  constructor(host: ExtensionHost, room: RoomSocketHost) {
    this.#host = host;
    this.#room = room;
  }

  /** Whether it is needed. A room that nobody looks at is left at once. */
  use(isNeeded: boolean): void {
    this.#dispatch({ type: "need", isNeeded });
    if (!isNeeded) this.#dispatch({ type: "timer", timer: "idle" });
  }

  /** The server let the page in. */
  greeted(): void {
    this.#dispatch({ type: "greeted" });
  }

  /** Begins anew, as whoever is signed in now. */
  reset(): void {
    this.refusal = undefined;
    this.#dispatch({ type: "reset" });
  }

  send(frame: PresenceClientFrame): void {
    this.#socket?.send(JSON.stringify(frame));
  }

  #dispatch(event: ConnectionEvent): void {
    const [state, effects] = stepConnection(this.state, event, this.#host.environment.random());
    this.state = state;
    for (const effect of effects) this.#perform(effect);
    this.#room.onChange();
  }

  #perform(effect: ConnectionEffect): void {
    switch (effect.type) {
      case "open":
        void this.#open();
        return;
      case "close":
        this.#forget()?.close();
        return;
      case "ping":
        this.#socket?.send(PING);
        return;
      case "timer":
        this.#setTimer(effect.timer, effect.ms);
        return;
      case "down":
        return;
      case "refused":
        this.refusal =
          this.#complaint ??
          new LunoraError(
            effect.code === CLOSE_CODES.tokenExpired ? "TOKEN_EXPIRED" : "FORBIDDEN",
            "the room is closed",
          );
    }
  }

  #setTimer(timer: Timer, ms: number | undefined): void {
    this.#timers.get(timer)?.();
    this.#timers.delete(timer);
    if (ms === undefined) return;
    const fire = (): void => this.#dispatch({ type: "timer", timer });
    this.#timers.set(timer, this.#host.environment.setTimer(ms, fire));
  }

  #forget(): ClientSocket | undefined {
    this.#generation += 1;
    const socket = this.#socket;
    this.#socket = undefined;
    return socket;
  }

  async #open(): Promise<void> {
    const { environment, session } = this.#host;
    const generation = (this.#generation += 1);
    const isCurrent = (): boolean => generation === this.#generation;
    const closed = (code: number): void => {
      if (!isCurrent()) return;
      this.#forget();
      this.#dispatch({ type: "closed", code, canRenew: session.canRenew(this.#token) });
      this.#complaint = undefined;
    };
    try {
      this.#token = await session.token();
      if (!isCurrent() || environment.WebSocket === undefined) return;
      const socket = new environment.WebSocket(this.#room.address(), this.#room.protocols(this.#token));
      socket.addEventListener("open", () => {
        if (!isCurrent()) {
          socket.close();
          return;
        }
        this.#socket = socket;
        this.#room.onOpen();
      });
      socket.addEventListener("message", ({ data }) => {
        if (isCurrent()) this.#receive(String(data));
      });
      socket.addEventListener("close", ({ code }) => closed(code));
      // A close without a code follows, but not on every host.
      socket.addEventListener("error", () => closed(0));
    } catch (error) {
      environment.report(error);
      closed(0);
    }
  }

  #receive(text: string): void {
    this.#dispatch({ type: "received" });
    if (text === PONG) return;
    try {
      const frame = JSON.parse(text) as PresenceServerFrame;
      if (frame.type === "error" && frame.id === undefined) this.#complaint = errorOf(frame.error);
      this.#room.onFrame(frame);
    } catch (error) {
      // What cannot be read cannot be skipped either: begin again.
      this.#host.environment.report(error);
      this.#dispatch({ type: "drop" });
    }
  }
}
