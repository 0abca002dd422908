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
  utf8,
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

/** Who has a socket, and what it is told. */
export interface SocketOwner {
  /** The code of a refusal of who is known and may not, when the server gave no reason. */
  readonly forbidden: "FORBIDDEN" | "FORBIDDEN_SHARD";
  /** Its path, and what stands in the query. */
  address(): readonly [path: string, query: Readonly<Record<string, string>>];
  /** The socket is open: says who is there. */
  opened(): void;
  /** Takes a message; what it throws is reported, and the connection begins again. */
  take(message: never): void;
  /** The connection is lost; with a code, the server does not want this client, for {@link ServerSocket.refusal}. */
  lost(code?: number): void;
}

/** A socket to the server that is made again for as long as it is needed. `Frame` is what the client sends over it. */
export interface ServerSocket<Frame> {
  state: ConnectionState;
  /** Why the server does not want this client. */
  refusal?: LunoraError | undefined;
  /** What the server said of the socket before it closed it. */
  reason?: LunoraError | undefined;
  /** Sends when there is a socket, and says whether: what is sent need not wait for the server's answer to who is there. */
  send(frame: Frame): boolean;
  /** What happens to it; may be wrapped by its owner. */
  dispatch(event: ConnectionEvent): void;
  /** Begins anew, as whoever is signed in now. */
  reset(): void;
  /** For good. */
  close(): void;
}

/** Does what {@link stepConnection} decides. */
export function createSocket<Frame>(
  { environment, session, transact, url }: SocketHost,
  owner: SocketOwner,
): ServerSocket<Frame> {
  const timers = new Map<Timer, () => void>();
  const queue: ConnectionEffect[] = [];
  let socket: ClientSocket | undefined;
  /** Of the attempt to connect: what an earlier one brings does not count. */
  let generation = 0;
  let token: string | null = null;

  const perform = (effect: ConnectionEffect): void => {
    const { type } = effect;
    switch (type) {
      case "open":
        void open();
        break;
      case "close":
        forget();
        break;
      case "ping":
        socket?.send(PING);
        break;
      case "alarm":
      case "idle":
        timers.get(type)?.();
        timers.delete(type);
        if (effect.ms !== undefined)
          timers.set(
            type,
            environment.setTimer(effect.ms, () => transact(() => own.dispatch({ type }))),
          );
        break;
      case "down":
        owner.lost();
        break;
      case "refused": {
        const { code } = effect;
        const message = "The server refused the connection";
        own.refusal =
          own.reason ??
          (code === CLOSED_FORBIDDEN
            ? new CodedError(owner.forbidden, 403, message)
            : new CodedError(code === CLOSED_TOKEN_EXPIRED ? "TOKEN_EXPIRED" : "UNAUTHORIZED", 401, message));
        owner.lost(code);
      }
    }
  };

  /** Lets go of the socket, and of an attempt to make one. */
  const forget = (): void => {
    generation++;
    socket?.close();
    socket = undefined;
  };

  const open = async (): Promise<void> => {
    const current = ++generation;
    const whenCurrent = (work: () => void): void => {
      if (generation === current) transact(work);
    };
    const closed = (code: number): void =>
      whenCurrent(() => {
        own.dispatch({ type: "closed", code, canRenew: session.canRenew(token) });
        // A frame of ours that it could not take; the other codes say who is not wanted.
        if (own.reason && code < CLOSED_TOKEN_EXPIRED) environment.report(own.reason);
        own.reason = undefined;
      });
    try {
      token = await session.token();
      if (generation !== current || environment.WebSocket === undefined) return;
      const [path, query] = owner.address();
      const made = new environment.WebSocket(socketUrl(url + path, query), protocolsOf(token));
      made.addEventListener("open", () => {
        if (generation !== current) made.close();
        whenCurrent(() => {
          socket = made;
          owner.opened();
        });
      });
      made.addEventListener("message", ({ data }) => whenCurrent(() => receive(String(data))));
      made.addEventListener("close", ({ code }) => closed(code));
      // A close without a code follows, but not on every host.
      made.addEventListener("error", () => closed(0));
    } catch (error) {
      environment.report(error);
      closed(0);
    }
  };

  const receive = (text: string): void => {
    own.dispatch({ type: "received" });
    if (text === PONG) return;
    try {
      owner.take(JSON.parse(text) as never);
    } catch (error) {
      // What cannot be read cannot be skipped either: begin again from what is known.
      environment.report(error);
      own.dispatch({ type: "drop" });
    }
  };

  const own: ServerSocket<Frame> = {
    state: INITIAL_CONNECTION,
    send(frame) {
      socket?.send(JSON.stringify(frame));
      return socket !== undefined;
    },
    dispatch(event) {
      const [state, effects] = stepConnection(own.state, event, environment.random());
      own.state = state;
      // What an effect causes comes after the effects that were decided before.
      if (queue.push(...effects) > effects.length) return;
      for (const effect of queue) perform(effect);
      queue.length = 0;
    },
    reset() {
      own.refusal = undefined;
      own.dispatch({ type: "reset" });
    },
    close() {
      for (const cancel of timers.values()) cancel();
      forget();
    },
  };
  return own;
}

/** The address of a socket; without an origin, that of the page. */
function socketUrl(address: string, query: Readonly<Record<string, string>>): string {
  const url = new URL(`${address}?${new URLSearchParams(query)}`, globalThis.location?.href);
  return url.href.replace(/^http/, "ws");
}

/** What a socket offers as its subprotocols: browsers can send a token no other way. */
function protocolsOf(token: string | null): string[] {
  if (token === null) return [SUBPROTOCOL];
  return [SUBPROTOCOL, TOKEN_SUBPROTOCOL_PREFIX + toBase64Url(utf8(token))];
}
