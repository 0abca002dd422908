import { LunoraError } from "@lunora/errors";
import {
  CLOSED_FORBIDDEN,
  CLOSED_TOKEN_EXPIRED,
  PING,
  PONG,
  SOCKET_PATH,
  SUBPROTOCOL,
  toBase64Url,
  TOKEN_SUBPROTOCOL_PREFIX,
} from "@lunora/protocol";
import type { AckFrame, BatchFrame, ClientFrame, ErrorFrame, ServerFrame } from "@lunora/protocol";

import { INITIAL_CONNECTION, stepConnection } from "./connection.ts";
import type { ConnectionEffect, ConnectionEvent, ConnectionState, Timer } from "./connection.ts";
import type { ClientEnvironment, ClientSocket } from "./environment.ts";
import type { Channel, ChannelEvent } from "./extension.ts";
import type { Session } from "./session.ts";
import { errorOf } from "./transport.ts";

/** What a link tells, and what it asks for. */
export interface LinkHost {
  readonly environment: ClientEnvironment;
  readonly url: string;
  readonly clientId: string;
  readonly session: Session;
  /** What it takes of what servers may send. */
  readonly capabilities: readonly string[];
  /** Wraps everything that comes from outside. */
  readonly transact: (work: () => void) => void;
  /** Tells a channel what happened. */
  step(channel: Channel, event: ChannelEvent): void;
  /** What waits for the shard. */
  readonly mutations: {
    /** The server answered `connect`. */
    up(shard: string): void;
    down(shard: string): void;
    /** It will never take anything of this client. */
    refuse(shard: string, error: LunoraError): void;
  };
}

/** What frames say of whom they are for. */
type Addressed = Readonly<Record<"id" | "shapeId" | "topic", string>> & { readonly lastMutationId: number };

/** The socket of one shard, and what goes over it: does what {@link stepConnection} decides. */
export class Link {
  readonly shard: string;
  state: ConnectionState = INITIAL_CONNECTION;
  /** By their ids. */
  readonly channels: Map<string, Channel> = new Map();
  /** Who waits for the answer to a frame, by the frame's id. */
  readonly answers: Map<string, (frame: AckFrame | ErrorFrame) => void> = new Map();
  /** Where the server stands in the client's sequence. */
  lastMutationId = 0;
  willFlush = false;
  /** Why the server does not want this client. */
  refusal: LunoraError | undefined;
  readonly #host: LinkHost;
  readonly #timers = new Map<Timer, () => void>();
  readonly #effects: ConnectionEffect[] = [];
  #socket: ClientSocket | undefined;
  /** What the server said of the socket before it closed it. */
  #complaint: LunoraError | undefined;
  /** Of the attempt to connect: what an earlier one brings does not count. */
  #generation = 0;
  #token: string | null = null;

  constructor(shard: string, host: LinkHost) {
    this.shard = shard;
    this.#host = host;
  }

  /** Sends when it can, and says whether: subscriptions go before the server has answered `connect`. */
  send(frame: ClientFrame): boolean {
    this.#socket?.send(JSON.stringify(frame));
    return this.#socket !== undefined;
  }

  /** Tells the channel with the id, or every channel. */
  tell(event: ChannelEvent, id?: string): void {
    const addressed = id === undefined ? Array.from(this.channels.values()) : [this.channels.get(id)];
    for (const channel of addressed) if (channel) this.#host.step(channel, event);
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
        this.answers.clear();
        this.tell({ type: "down" });
        this.#host.mutations.down(this.shard);
        break;
      case "refused":
        this.#refuse(effect.code);
    }
  }

  #refuse(code: number): void {
    const name =
      code === CLOSED_FORBIDDEN ? "FORBIDDEN_SHARD" : code === CLOSED_TOKEN_EXPIRED ? "TOKEN_EXPIRED" : "UNAUTHORIZED";
    const error = this.#complaint ?? new LunoraError(name, `\`${this.shard}\` refused the connection`);
    this.refusal = error;
    this.tell({ type: "failed", error });
    // Who is not known may be known later, and then the writes go on. Who is known and may not never will.
    if (code === CLOSED_FORBIDDEN) this.#host.mutations.refuse(this.shard, error);
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
    const { environment, transact, clientId, session, url, capabilities } = this.#host;
    const generation = ++this.#generation;
    const whenCurrent = (work: () => void): void => {
      if (generation === this.#generation) transact(work);
    };
    const closed = (code: number): void =>
      whenCurrent(() => {
        this.#forget();
        this.dispatch({ type: "closed", code, canRenew: session.canRenew(this.#token) });
        // A frame of ours that it could not take; the other codes say who is not wanted.
        if (this.#complaint && code < CLOSED_TOKEN_EXPIRED) environment.report(this.#complaint);
        this.#complaint = undefined;
      });
    try {
      this.#token = await session.token();
      if (generation !== this.#generation || environment.WebSocket === undefined) return;
      const address = socketUrl(url + SOCKET_PATH, { shard: this.shard });
      const socket = new environment.WebSocket(address, protocolsOf(this.#token));
      socket.addEventListener("open", () => {
        if (generation !== this.#generation) socket.close();
        whenCurrent(() => {
          this.#socket = socket;
          this.send({ type: "connect", id: "connect", clientId, caps: capabilities });
          for (const channel of this.channels.values()) this.send(channel.openFrame());
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
      for (const frame of message.type === "batch" ? message.frames : [message]) this.#take(frame);
    } catch (error) {
      // What cannot be read cannot be skipped either: begin again from what is known.
      this.#host.environment.report(error);
      this.dispatch({ type: "drop" });
    }
  }

  #take(frame: ServerFrame): void {
    const { id, shapeId = id, topic = shapeId, lastMutationId } = frame as Partial<Addressed>;
    if (frame.type === "ack" && id === "connect") {
      this.dispatch({ type: "greeted" });
      this.lastMutationId = lastMutationId ?? 0;
      this.tell({ type: "greeted", epoch: frame.epoch });
      this.#host.mutations.up(this.shard);
    } else if (frame.type === "error" && id === undefined) {
      this.#complaint = errorOf(frame.error);
    } else if (frame.type === "error" || frame.type === "ack") {
      if (frame.type === "error") this.tell({ type: "failed", error: errorOf(frame.error) }, id);
      const answer = this.answers.get(id ?? "");
      this.answers.delete(id ?? "");
      answer?.(frame);
    } else {
      // What a part of a poke says holds at the poke's end.
      if (frame.type !== "pokePart") this.lastMutationId = lastMutationId ?? this.lastMutationId;
      this.tell({ type: "frame", frame, lastMutationId: this.lastMutationId }, topic);
    }
  }
}

/** The address of a socket; without an origin, that of the page. */
export function socketUrl(address: string, query: Readonly<Record<string, string>>): string {
  const url = new URL(address, globalThis.location?.href);
  url.protocol = url.protocol.replace("http", "ws");
  for (const name in query) url.searchParams.set(name, query[name] ?? "");
  return url.href;
}

/** What a socket offers as its subprotocols: browsers can send a token no other way. */
export function protocolsOf(token: string | null): string[] {
  if (token === null) return [SUBPROTOCOL];
  return [SUBPROTOCOL, TOKEN_SUBPROTOCOL_PREFIX + toBase64Url(new TextEncoder().encode(token))];
}
