import { CLOSED_FORBIDDEN, CLOSED_IDENTITY_INVALID, CLOSED_RELOAD, CLOSED_TOKEN_EXPIRED } from "@lunora/protocol";

import { retryDelay } from "./retry.ts";
import type { Step } from "./step.ts";
import type { ConnectionStatus } from "./types.ts";

/** From the socket's making to the server's answer to `connect`. */
export const OPEN_TIMEOUT_MS = 15_000;
/** A connection that lived so long starts its delays anew. */
export const STABLE_MS = 5_000;
export const PING_INTERVAL_MS = 25_000;
/** A socket that says nothing for so long after a ping is dead. */
export const PONG_TIMEOUT_MS = 10_000;
/** A connection that nobody needs stays open for so long. */
export const IDLE_GRACE_MS = 30_000;
/** So often in a row a reload is followed at once. */
const IMMEDIATE_ATTEMPTS = 3;

/** The connection to one shard. */
export interface ConnectionState {
  readonly phase: "idle" | "connecting" | "connected" | "waiting" | "refused";
  /** Connections that were lost since the last stable one. */
  readonly attempt: number;
  readonly isNeeded: boolean;
  /** It was pinged, and has said nothing since. */
  readonly isAsked: boolean;
}

export type ConnectionEvent =
  /** Somebody subscribes or writes, or nobody does any more. */
  | { readonly type: "need"; readonly isNeeded: boolean }
  /** The server answered `connect`. */
  | { readonly type: "greeted" }
  /** Something arrived. */
  | { readonly type: "received" }
  /** The socket is gone, or none could be made. `canRenew`: another token can be had. */
  | { readonly type: "closed"; readonly code: number; readonly canRenew: boolean }
  /** A timer's time is over. */
  | { readonly type: Timer }
  | { readonly type: "network"; readonly isOnline: boolean }
  /** The server should be left alone for a moment. */
  | { readonly type: "drop" }
  /** Another token: begin again. */
  | { readonly type: "reset" };

/** `alarm` drives the phase, `idle` ends a connection that nobody needs. */
export type Timer = "alarm" | "idle";

export type ConnectionEffect =
  /** Get a token and make a socket. */
  | { readonly type: "open" }
  /** Close the socket, if there is one, and forget it: its late events do not count. */
  | { readonly type: "close" }
  | { readonly type: "ping" }
  /** Sets the timer anew; without a time, stops it. */
  | { readonly type: Timer; readonly ms?: number | undefined }
  | { readonly type: "down" }
  | { readonly type: "refused"; readonly code: number };

export const INITIAL_CONNECTION: ConnectionState = { phase: "idle", attempt: 0, isNeeded: false, isAsked: false };

const alarm = (ms?: number): ConnectionEffect => ({ type: "alarm", ms });
/** Without a socket, and for a time before something happens. */
const cut = (ms?: number): ConnectionEffect[] => [alarm(ms), { type: "close" }, { type: "down" }];

/** `random` is in [0, 1). */
export function stepConnection(
  state: ConnectionState,
  event: ConnectionEvent,
  random: number,
): Step<ConnectionState, ConnectionEffect> {
  const { phase, attempt, isNeeded, isAsked } = state;
  switch (event.type) {
    case "need": {
      if (event.isNeeded === isNeeded) break;
      const next = { ...state, isNeeded: event.isNeeded };
      if (!event.isNeeded) return [next, [{ type: "idle", ms: IDLE_GRACE_MS }]];
      const [connecting, effects] = phase === "idle" ? connect(next) : [next, []];
      return [connecting, [{ type: "idle" }, ...effects]];
    }
    case "greeted":
      if (phase !== "connecting") break;
      return [{ ...state, phase: "connected" }, [alarm(attempt > 0 ? STABLE_MS : PING_INTERVAL_MS)]];
    case "received":
      if (!isAsked) break;
      return [{ ...state, isAsked: false }, [alarm(PING_INTERVAL_MS)]];
    case "closed": {
      const { code, canRenew } = event;
      if (phase !== "connecting" && phase !== "connected") break;
      const isFinal =
        code === CLOSED_IDENTITY_INVALID || code === CLOSED_FORBIDDEN || (code === CLOSED_TOKEN_EXPIRED && !canRenew);
      if (isFinal) return [{ ...state, phase: "refused", isAsked: false }, [...cut(), { type: "refused", code }]];
      const isExpected = code === CLOSED_RELOAD || code === CLOSED_TOKEN_EXPIRED;
      return lose(state, random, isExpected && attempt < IMMEDIATE_ATTEMPTS);
    }
    case "idle":
      if (isNeeded) break;
      return [{ ...INITIAL_CONNECTION, phase: phase === "refused" ? phase : "idle" }, cut()];
    case "alarm":
      if (phase === "waiting") return connect(state);
      if (phase === "connecting" || isAsked) return lose(state, random);
      if (phase !== "connected") break;
      if (attempt > 0) return [{ ...state, attempt: 0 }, [alarm(PING_INTERVAL_MS - STABLE_MS)]];
      return probe(state);
    case "network":
      if (event.isOnline && phase === "waiting") return connect(state);
      // What the device says of its network is a hint: the socket itself has to answer.
      if (phase === "connected" && !isAsked) return probe(state);
      break;
    case "drop":
      if (phase !== "connected") break;
      return lose(state, random);
    case "reset": {
      const [next, effects] = isNeeded ? connect({ ...INITIAL_CONNECTION, isNeeded }) : [INITIAL_CONNECTION, []];
      return [next, [...cut(), ...effects]];
    }
  }
  return [state, []];
}

/** What apps are told of a connection. */
export function statusOfConnection({ phase }: ConnectionState): ConnectionStatus {
  return phase === "waiting" || phase === "refused" ? "offline" : phase;
}

function connect(state: ConnectionState): Step<ConnectionState, ConnectionEffect> {
  return [{ ...state, phase: "connecting", isAsked: false }, [alarm(OPEN_TIMEOUT_MS), { type: "open" }]];
}

function probe(state: ConnectionState): Step<ConnectionState, ConnectionEffect> {
  return [{ ...state, isAsked: true }, [alarm(PONG_TIMEOUT_MS), { type: "ping" }]];
}

function lose(state: ConnectionState, random: number, isImmediate = false): Step<ConnectionState, ConnectionEffect> {
  if (!state.isNeeded) return [INITIAL_CONNECTION, cut()];
  const attempt = state.attempt + 1;
  const delay = isImmediate ? 0 : retryDelay(attempt, random);
  return [{ ...state, phase: "waiting", attempt, isAsked: false }, cut(delay)];
}
