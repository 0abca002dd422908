import { CodedError } from "@lunora/errors";
import type { LunoraError } from "@lunora/errors";
import {
  CLOSED_FORBIDDEN,
  CLOSED_TOKEN_EXPIRED,
  PING,
  PONG,
  SUBPROTOCOL,
  toBase64Url,
  TOKEN_SUBPROTOCOL_PREFIX,
} from "@lunora/protocol";

import { INITIAL_CONNECTION, stepConnection } from "./connection.ts";
import type { ConnectionEffect, ConnectionEvent, ConnectionState, Timer } from "./connection.ts";
import type { ClientEnvironment, ClientSocket } from "./environment.ts";
import type { Session } from "./session.ts";

/** What a socket needs of its client. */
export interface SocketHost {
  readonly environment: ClientEnvironment;
  /** Origin of the Worker, without a slash at its end. */
  readonly url: string;
  readonly session: Session;
  /** Wraps everything that comes from outside. */
  readonly transact: (work: () => void) => void;
}

/**
 * A socket to the server that is made again for as long as it is needed: does what {@link stepConnection} decides.
 * `Frame` is what the client sends over it.
 */
export abstract class ServerSocket<Host extends SocketHost, Frame> {
  state: ConnectionState = INITIAL_CONNECTION;
  /** Why the server does not want this client. */
  declare refusal: LunoraError | undefined;
  declare protected readonly host: Host;
  /** What the server said of the socket before it closed it. */
  declare protected complaint: LunoraError | undefined;
  readonly #timers = new Map<Timer, () => void>();
  readonly #effects: ConnectionEffect[] = [];
  #socket: ClientSocket | undefined;
  /** Of the attempt to connect: what an earlier one brings does not count. */
  #generation = 0;
  #token: string | null = null;

  constructor(host: Host) {
    this.host = host;
  }

  /** Its path, and what stands in the query. */
  protected abstract address(): readonly [path: string, query: Readonly<Record<string, string>>];
  /** The code of a refusal of who is known and may not, when the server gave no reason. */
  protected abstract readonly forbidden: "FORBIDDEN" | "FORBIDDEN_SHARD";
  /** The socket is open: says who is there. */
  protected abstract opened(): void;
  /** Takes a message; what it throws is reported, and the connection begins again. */
  protected abstract take(message: unknown): void;
  /** The connection is lost; with a code, the server does not want this client, for {@link refusal}. */
  protected abstract lost(code?: number): void;

  /** Sends when there is a socket, and says whether: what is sent need not wait for the server's answer to who is there. */
  send(frame: Frame): boolean {
    this.#socket?.send(JSON.stringify(frame));
    return this.#socket !== undefined;
  }

  dispatch(event: ConnectionEvent): void {
    const [state, effects] = stepConnection(this.state, event, this.host.environment.random());
    this.state = state;
    // What an effect causes comes after the effects that were decided before.
    this.#effects.push(...effects);
    if (this.#effects.length > effects.length) return;
    for (let effect = this.#effects[0]; effect; effect = this.#effects[0]) {
      this.#perform(effect);
      this.#effects.shift();
    }
  }

  /** Begins anew, as whoever is signed in now. */
  reset(): void {
    this.refusal = undefined;
    this.dispatch({ type: "reset" });
  }

  /** For good. */
  close(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#forget()?.close();
  }

  #perform(effect: ConnectionEffect): void {
    switch (effect.type) {
      case "open":
        void this.#open();
        break;
      case "close":
        this.#forget()?.close();
        break;
      case "ping":
        this.#socket?.send(PING);
        break;
      case "timer":
        this.#setTimer(effect.timer, effect.ms);
        break;
      case "down":
        this.lost();
        break;
      case "refused": {
        const { code } = effect;
        const message = "The server refused the connection";
        this.refusal =
          this.complaint ??
          (code === CLOSED_FORBIDDEN
            ? new CodedError(this.forbidden, 403, message)
            : new CodedError(code === CLOSED_TOKEN_EXPIRED ? "TOKEN_EXPIRED" : "UNAUTHORIZED", 401, message));
        this.lost(code);
      }
    }
  }

  #setTimer(timer: Timer, ms: number | undefined): void {
    this.#timers.get(timer)?.();
    this.#timers.delete(timer);
    if (ms === undefined) return;
    const fire = (): void => this.host.transact(() => this.dispatch({ type: "timer", timer }));
    this.#timers.set(timer, this.host.environment.setTimer(ms, fire));
  }

  /** Lets go of the socket, and of an attempt to make one. */
  #forget(): ClientSocket | undefined {
    this.#generation++;
    const socket = this.#socket;
    this.#socket = undefined;
    return socket;
  }

  async #open(): Promise<void> {
    const { environment, transact, session, url } = this.host;
    const generation = ++this.#generation;
    const whenCurrent = (work: () => void): void => {
      if (generation === this.#generation) transact(work);
    };
    const closed = (code: number): void =>
      whenCurrent(() => {
        this.#forget();
        this.dispatch({ type: "closed", code, canRenew: session.canRenew(this.#token) });
        // A frame of ours that it could not take; the other codes say who is not wanted.
        if (this.complaint && code < CLOSED_TOKEN_EXPIRED) environment.report(this.complaint);
        this.complaint = undefined;
      });
    try {
      this.#token = await session.token();
      if (generation !== this.#generation || environment.WebSocket === undefined) return;
      const [path, query] = this.address();
      const socket = new environment.WebSocket(socketUrl(url + path, query), protocolsOf(this.#token));
      socket.addEventListener("open", () => {
        if (generation !== this.#generation) socket.close();
        whenCurrent(() => {
          this.#socket = socket;
          this.opened();
        });
      });
      socket.addEventListener("message", ({ data }) => whenCurrent(() => this.#receive(String(data))));
      socket.addEventListener("close", ({ code }) => closed(code));
      // A close without a code follows, but not on every host.
      socket.addEventListener("error", () => closed(0));
    } catch (error) {
      environment.report(error);
      closed(0);
    }
  }

  #receive(text: string): void {
    this.dispatch({ type: "received" });
    if (text === PONG) return;
    try {
      this.take(JSON.parse(text));
    } catch (error) {
      // What cannot be read cannot be skipped either: begin again from what is known.
      this.host.environment.report(error);
      this.dispatch({ type: "drop" });
    }
  }
}

/** The address of a socket; without an origin, that of the page. */
function socketUrl(address: string, query: Readonly<Record<string, string>>): string {
  const url = new URL(address, globalThis.location?.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.search = String(new URLSearchParams(query));
  return url.href;
}

/** What a socket offers as its subprotocols: browsers can send a token no other way. */
function protocolsOf(token: string | null): string[] {
  if (token === null) return [SUBPROTOCOL];
  return [SUBPROTOCOL, TOKEN_SUBPROTOCOL_PREFIX + toBase64Url(new TextEncoder().encode(token))];
}
