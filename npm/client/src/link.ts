import {
  CAPABILITIES,
  CLOSE_CODES,
  PING,
  PONG,
  SUBPROTOCOL,
  toBase64Url,
  TOKEN_SUBPROTOCOL_PREFIX,
} from "@lunora/protocol";
import type { LunoraError } from "@lunora/errors";
import type { AckFrame, BatchFrame, ClientFrame, ServerFrame } from "@lunora/protocol";

import { INITIAL_CONNECTION, stepConnection } from "./connection.ts";
import type { ConnectionEffect, ConnectionEvent, ConnectionState, Timer } from "./connection.ts";
import type { ClientEnvironment, ClientSocket } from "./environment.ts";
import type { Box } from "./lanes.ts";
import type { SentEntry } from "./outbox.ts";
import type { OpenPokes } from "./pokes.ts";
import { errorOf } from "./transport.ts";
import type { View } from "./view.ts";

/** What a link tells, and what it asks for. */
export interface LinkHost {
  readonly environment: ClientEnvironment;
  readonly clientId: string;
  socketUrl(shard: string): string;
  token(): Promise<string | null>;
  canRenew(token: string | null): boolean;
  /** Wraps everything that comes from outside. */
  readonly transact: (work: () => void) => void;
  /** The server answered `connect`. */
  greeted(link: Link, frame: AckFrame): void;
  received(link: Link, frame: ServerFrame): void;
  down(link: Link): void;
  refused(link: Link, code: number): void;
}

/** The socket of one shard, and what goes over it: does what {@link stepConnection} decides. */
export class Link {
  readonly shard: string;
  state: ConnectionState = INITIAL_CONNECTION;
  /** By the ids of their subscriptions. */
  readonly views: Map<string, View> = new Map();
  /** Pushes that wait for their answer. */
  readonly pushes: Map<string, { readonly box: Box; readonly sent: readonly SentEntry[] }> = new Map();
  pokes: OpenPokes = new Map();
  /** Where the server stands in the client's sequence. */
  lastMutationId = 0;
  willFlush = false;
  /** What the server said of the socket before it closed it. */
  complaint: LunoraError | undefined;
  /** Why the server does not want this client. */
  refusal: LunoraError | undefined;
  readonly #host: LinkHost;
  readonly #timers = new Map<Timer, () => void>();
  readonly #effects: ConnectionEffect[] = [];
  #socket: ClientSocket | undefined;
  /** Of the attempt to connect: what an earlier one brings does not count. */
  #generation = 0;
  #token: string | null = null;

  constructor(shard: string, host: LinkHost) {
    this.shard = shard;
    this.#host = host;
  }

  /** Sends when it can: subscriptions go before the server has answered `connect`. */
  send(frame: ClientFrame): void {
    this.#socket?.send(JSON.stringify(frame));
  }

  dispatch(event: ConnectionEvent): void {
    const [state, effects] = stepConnection(this.state, event, this.#host.environment.random());
    this.state = state;
    // What an effect causes comes after the effects that were decided before.
    this.#effects.push(...effects);
    if (this.#effects.length > effects.length) return;
    for (let effect = this.#effects[0]; effect; effect = this.#effects[0]) {
      this.#perform(effect);
      this.#effects.shift();
    }
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
        this.#host.down(this);
        break;
      case "refused":
        this.#host.refused(this, effect.code);
    }
  }

  #setTimer(timer: Timer, ms: number | undefined): void {
    this.#timers.get(timer)?.();
    this.#timers.delete(timer);
    if (ms === undefined) return;
    const fire = (): void => this.#host.transact(() => this.dispatch({ type: "timer", timer }));
    this.#timers.set(timer, this.#host.environment.setTimer(ms, fire));
  }

  /** Lets go of the socket, and of an attempt to make one. */
  #forget(): ClientSocket | undefined {
    this.#generation++;
    const socket = this.#socket;
    this.#socket = undefined;
    return socket;
  }

  async #open(): Promise<void> {
    const { environment, transact, clientId } = this.#host;
    const generation = ++this.#generation;
    const whenCurrent = (work: () => void): void => {
      if (generation === this.#generation) transact(work);
    };
    const closed = (code: number): void =>
      whenCurrent(() => {
        this.#forget();
        this.dispatch({ type: "closed", code, canRenew: this.#host.canRenew(this.#token) });
        // A frame of ours that it could not take; the other codes say who is not wanted.
        if (this.complaint && code < CLOSE_CODES.tokenExpired) environment.report(this.complaint);
        this.complaint = undefined;
      });
    try {
      this.#token = await this.#host.token();
      if (generation !== this.#generation || environment.WebSocket === undefined) return;
      const protocols = [SUBPROTOCOL];
      if (this.#token !== null)
        protocols.push(TOKEN_SUBPROTOCOL_PREFIX + toBase64Url(new TextEncoder().encode(this.#token)));
      const socket = new environment.WebSocket(this.#host.socketUrl(this.shard), protocols);
      socket.addEventListener("open", () => {
        if (generation !== this.#generation) socket.close();
        whenCurrent(() => {
          this.#socket = socket;
          this.send({ type: "connect", id: "connect", clientId, caps: Object.values(CAPABILITIES) });
          for (const view of this.views.values()) this.send(view.subscribeFrame());
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
      const message = JSON.parse(text) as ServerFrame | BatchFrame;
      for (const frame of message.type === "batch" ? message.frames : [message]) {
        if (frame.type === "ack" && frame.id === "connect") {
          this.dispatch({ type: "greeted" });
          this.#host.greeted(this, frame);
        } else if (frame.type === "error" && frame.id === undefined) {
          this.complaint = errorOf(frame.error);
        } else {
          this.#host.received(this, frame);
        }
      }
    } catch (error) {
      // What cannot be read cannot be skipped either: begin again from what is known.
      this.#host.environment.report(error);
      this.dispatch({ type: "drop" });
    }
  }
}
