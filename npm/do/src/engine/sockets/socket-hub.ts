import { LunoraError } from "@lunora/errors";
import { CAPABILITIES, CLOSE_CODES } from "@lunora/protocol";
import type {
  ClientFrame,
  ConnectFrame,
  PushFrame,
  PushResult,
  ShapeSubscribeFrame,
  StreamFrame,
  SubscribeFrame,
} from "@lunora/protocol";
import type { Identity } from "@lunora/server";

import { failureOf } from "../function-runner.ts";
import type { SavedSubscription } from "../live/connection.ts";
import type { LivePart } from "../live/live-host.ts";
import type { ShardWatch } from "../observing/shard-watch.ts";
import type { SqlStorage } from "../sql.ts";
import type { StreamPart } from "../streams/stream-host.ts";
import { ClientSockets } from "./client-sockets.ts";
import { ConnectDeadline } from "./connect-deadline.ts";
import type { HostSocket } from "./host-socket.ts";
import { authorizeOnce } from "./permissions.ts";
import { readFrame } from "./read-frame.ts";
import { SocketConnection } from "./socket-connection.ts";
import { SocketStore } from "./socket-store.ts";
import type { SocketState } from "./socket-store.ts";
import { SocketStreams } from "./socket-streams.ts";
import { SocketWhispers } from "./socket-whispers.ts";
import { MAX_SUBSCRIPTIONS, SUBSCRIPTION_LENGTH } from "./subscription-list.ts";
import type { Subscription } from "./subscription-list.ts";
import { UnsavedSockets } from "./unsaved-sockets.ts";
import { WaitingRoom } from "./waiting-room.ts";

/** Bytes that may wait for a reader before its socket is given up. */
const BUFFERED_BYTES = 8_388_608;

/** How long `connect` may take to come, milliseconds. */
const CONNECT_DEADLINE = 10_000;

/** Why a socket is closed whose subscriptions are not what they were. */
const LOST = "the subscriptions are lost: connect again";

/** What begins a subscription. */
export type SubscribingFrame = SubscribeFrame | ShapeSubscribeFrame | StreamFrame;

/** What sockets need of their shard. */
export interface HubHost {
  readonly storage: SqlStorage;
  /** How long `connect` may take to come, milliseconds. */
  readonly connectDeadline?: number | undefined;
  /** How long what changes may wait to be kept, milliseconds. */
  readonly saveDelay?: number | undefined;
  /** Nothing is in the shard's queue. */
  isIdle(): boolean;
  now(): number;
  epoch(): string;
  head(): number;
  watermark(userId: string | null, clientId: string): number;
  /** What answers subscriptions, by kind. */
  readonly parts: { readonly q: LivePart<SubscribeFrame>; readonly s: LivePart<ShapeSubscribeFrame> };
  /** Absent in apps without streams. */
  readonly streams?: StreamPart | undefined;
  /** Absent unless somebody listens. */
  readonly watch?: ShardWatch | undefined;
  /** Takes a place in the shard's queue; what `run` sends leaves when it ends. */
  turn(run: () => Promise<void>): Promise<void>;
  /** Takes places for the entries of a push, and calls back when all have ended. */
  push(connection: SocketConnection, frame: PushFrame, done: (results: PushResult[]) => void): void;
  /** Throws `FORBIDDEN_SHARD`. */
  authorize(identity: Identity | null, path: string): Promise<void>;
}

/** The sockets of a shard: what comes in, what goes out, what is kept while the object sleeps. */
export class SocketHub {
  readonly #host: HubHost;
  readonly #store: SocketStore;
  readonly #deadline: ConnectDeadline<SocketConnection>;
  readonly #connections = new Set<SocketConnection>();
  readonly #clients = new ClientSockets();
  readonly #queued = new Set<SocketConnection>();
  readonly #unsaved: UnsavedSockets;
  readonly #asleep = new Map<SocketConnection, readonly SavedSubscription[]>();
  readonly #room = new WaitingRoom();
  readonly #streams: SocketStreams;
  readonly #whispers: SocketWhispers;

  constructor(host: HubHost) {
    this.#host = host;
    this.#deadline = new ConnectDeadline(host.connectDeadline ?? CONNECT_DEADLINE, host.now, (connection) =>
      this.#giveUp(
        connection,
        new LunoraError("CONNECT_TIMEOUT", "the socket was opened, and `connect` did not come"),
        CLOSE_CODES.protocolError,
      ),
    );
    this.#store = new SocketStore(host.storage);
    this.#unsaved = new UnsavedSockets(host, (connection) => this.#save(connection));
    this.#streams = new SocketStreams(this, host);
    this.#whispers = new SocketWhispers(this, host);
  }

  get size(): number {
    return this.#connections.size;
  }

  get connections(): Iterable<SocketConnection> {
    return this.#connections;
  }

  /** What a connection is subscribed to, as it is kept while the object sleeps. */
  subscriptionsOf(connection: SocketConnection): readonly SavedSubscription[] {
    const { q, s } = this.#host.parts;
    return (
      this.#asleep.get(connection) ?? [
        ...q.saved(connection),
        ...s.saved(connection),
        ...Array.from(connection.streams, (id): SavedSubscription => ({ kind: "t", id, name: id })),
        ...Array.from(connection.topics, (topic): SavedSubscription => ({ kind: "w", id: topic, name: topic })),
      ]
    );
  }

  #create(socket: HostSocket, facts: SocketConnection["facts"]): SocketConnection {
    const connection = new SocketConnection(socket, facts, (queued) => this.#queued.add(queued));
    this.#connections.add(connection);
    if (!connection.isConnected) this.#deadline.watch(connection);
    return connection;
  }

  /** A socket that was just accepted. */
  open(socket: HostSocket, identity: Identity | null): SocketConnection {
    const connection = this.#create(socket, { id: crypto.randomUUID(), identity });
    this.#save(connection);
    this.#host.watch?.socket(connection, "opened");
    return connection;
  }

  /** Sockets that outlived sleep. Their subscriptions come back with {@link restore}. */
  wake(sockets: readonly HostSocket[]): Map<HostSocket, SocketConnection> {
    const connections = new Map<HostSocket, SocketConnection>();
    for (const socket of sockets) {
      const state = this.#load(socket);
      if (state === undefined) {
        socket.close(CLOSE_CODES.reload, LOST);
        continue;
      }
      const connection = this.#create(socket, state.facts);
      for (const saved of state.subscriptions)
        connection.subscriptions.add(saved.kind + saved.id, lengthOf(saved.args));
      this.#asleep.set(connection, state.subscriptions);
      this.#clients.add(connection);
      this.#host.watch?.socket(connection, "woken");
      connections.set(socket, connection);
    }
    this.#store.keepOnly([...connections.values()].map(({ id }) => id));
    return connections;
  }

  /** Whatever is wrong with one socket's state must not keep the shard from opening. */
  #load(socket: HostSocket): SocketState | undefined {
    try {
      return this.#store.load(socket);
    } catch (error) {
      failureOf("the state of a socket that slept", error);
      return undefined;
    }
  }

  get needsRestore(): boolean {
    return this.#asleep.size > 0;
  }

  /** Brings back what was subscribed to; before anything else runs. */
  async restore(): Promise<void> {
    const asleep = [...this.#asleep];
    this.#asleep.clear();
    for (const [connection, saved] of asleep) {
      if (connection.isClosed) continue;
      for (const kind of ["q", "s"] as const) {
        const own = saved.filter((subscription) => subscription.kind === kind);
        if (own.length === 0) continue;
        try {
          await this.#host.parts[kind].restore(connection, own);
        } catch (error) {
          // A client that is not told would wait for ever for what no longer comes.
          failureOf("a subscription that slept", error);
          this.#end(connection, CLOSE_CODES.reload, LOST);
        }
      }
      // Those that were not left in the meantime.
      for (const { kind, id } of saved) {
        if (kind === "w") this.#whispers.rejoin(connection, id);
        // A stream runs in the memory that is gone.
        if (kind === "t" && connection.subscriptions.delete(`t${id}`)) {
          this.#unsaved.add(connection);
          this.refuse(connection, id, new LunoraError("STREAM_INTERRUPTED", "the shard fell asleep in mid-stream"));
        }
      }
    }
  }

  /** A message came in. A promise: until it settles the object has to stay awake. */
  receive(connection: SocketConnection, data: string | ArrayBuffer): Promise<void> | undefined {
    if (connection.isClosed || this.#expire(connection, this.#host.now())) return undefined;
    let frame: ClientFrame;
    try {
      frame = readFrame(data, connection.isConnected);
    } catch (error) {
      const isLong = error instanceof LunoraError && error.code === "FRAME_TOO_LARGE";
      this.#giveUp(connection, error, isLong ? CLOSE_CODES.tooLarge : CLOSE_CODES.protocolError);
      return undefined;
    }
    const { length } = data as string;
    const streaming = frame.type === "stream" ? this.#streams.open(connection, frame, length) : undefined;
    if (frame.type !== "stream") this.#handle(connection, frame, length);
    this.deliver();
    return streaming;
  }

  /** Closes a socket that broke the protocol, and says why. */
  #giveUp(connection: SocketConnection, reason: unknown, code: number): void {
    const { error } = failureOf("a frame", reason);
    connection.send({ type: "error", error });
    this.deliver();
    this.#end(connection, code, error.code);
  }

  #handle(connection: SocketConnection, frame: Exclude<ClientFrame, StreamFrame>, length: number): void {
    switch (frame.type) {
      case "connect":
        return this.#connect(connection, frame);
      case "subscribe":
      case "shape_subscribe":
        return this.#subscribe(connection, frame, length);
      case "unsubscribe":
        this.#streams.leave(connection, frame.id);
        return this.#unsubscribe(connection, "q", frame.id);
      case "shape_unsubscribe":
        return this.#unsubscribe(connection, "s", frame.id);
      case "push":
        return this.#push(connection, frame, length);
      case "whisper_subscribe":
        return this.#whispers.join(connection, frame.topic);
      case "whisper_unsubscribe":
        return this.#whispers.leave(connection, frame.topic);
      case "whisper":
        return this.#whispers.send(connection, frame.topic, frame.data);
    }
  }

  /** Tells the client why. `frame`: what it subscribes with. */
  refuse(connection: SocketConnection, id: string, error: unknown, frame?: SubscribingFrame): void {
    connection.send({ type: "error", id, error: failureOf(id, error).error });
    if (frame !== undefined) this.#host.watch?.refused(connection, frame, error);
  }

  #connect(connection: SocketConnection, { id, clientId, caps = [] }: ConnectFrame): void {
    const capabilities = Object.values(CAPABILITIES).filter((name) => caps.includes(name));
    connection.greet(clientId, capabilities);
    this.#deadline.forget(connection);
    this.#clients.add(connection);
    this.#unsaved.add(connection);
    this.#host.watch?.socket(connection, "connected");
    // In a turn: while a group is open, the newest position is not anybody's yet.
    void this.#host.turn(async () => {
      const { identity } = connection;
      connection.send({
        type: "ack",
        id,
        caps: capabilities,
        cursor: this.#host.head(),
        epoch: this.#host.epoch(),
        ...(clientId === undefined ? {} : { lastMutationId: this.#host.watermark(identity?.userId ?? null, clientId) }),
      });
    });
  }

  /** Notes a subscription; `undefined`: there are too many, which the client is told. `length`: characters of what came. */
  admit(
    connection: SocketConnection,
    key: string,
    id: string,
    length: number,
    frame?: SubscribingFrame,
  ): Subscription | undefined {
    const subscription = connection.subscriptions.add(key, length);
    if (subscription === undefined)
      this.refuse(
        connection,
        id,
        new LunoraError(
          "SUBSCRIPTION_LIMIT",
          `a socket has at most ${MAX_SUBSCRIPTIONS} subscriptions, with at most ${SUBSCRIPTION_LENGTH} characters of arguments`,
          { data: { limit: MAX_SUBSCRIPTIONS } },
        ),
        frame,
      );
    return subscription;
  }

  /** Takes room for a frame that waits; answers how much, or `undefined` when there is none, which the client is told. */
  hold(
    connection: SocketConnection,
    id: string,
    length: number,
    places: number,
    frame?: SubscribingFrame,
  ): number | undefined {
    try {
      return this.#room.hold(connection, length, places);
    } catch (error) {
      this.refuse(connection, id, error, frame);
      return undefined;
    }
  }

  /** Gives back what was held. */
  release(connection: SocketConnection, held: number): void {
    this.#room.release(connection, held);
  }

  #subscribe(connection: SocketConnection, frame: SubscribeFrame | ShapeSubscribeFrame, length: number): void {
    const kind = frame.type === "subscribe" ? "q" : "s";
    const key = kind + frame.id;
    const held = this.hold(connection, frame.id, length, 1, frame);
    // Whoever is refused has nothing under the id, whatever was there before.
    if (held === undefined) return this.#unsubscribe(connection, kind, frame.id);
    const subscription = this.admit(connection, key, frame.id, length, frame);
    if (subscription === undefined) {
      this.release(connection, held);
      return this.#unsubscribe(connection, kind, frame.id);
    }
    this.#unsaved.add(connection);
    void this.#host.turn(async () => {
      this.release(connection, held);
      if (connection.isClosed) return;
      try {
        if (frame.type === "subscribe") await this.#host.parts.q.subscribe(connection, frame);
        else await this.#host.parts.s.subscribe(connection, frame);
      } catch (error) {
        connection.subscriptions.delete(key, subscription);
        this.refuse(connection, frame.id, error, frame);
      }
      this.#unsaved.add(connection);
    });
  }

  #unsubscribe(connection: SocketConnection, kind: "q" | "s", id: string): void {
    // What is not subscribed to, nor about to be, takes no turn.
    if (!connection.subscriptions.delete(kind + id)) return;
    void this.#host.turn(async () => {
      this.#host.parts[kind].unsubscribe(connection, id);
      this.#unsaved.add(connection);
    });
  }

  /** A stream has told its end, or is given up. */
  streamEnded(connection: SocketConnection, id: string): void {
    this.#streams.ended(connection, id);
  }

  /** What a part wants kept of the connection is different now. */
  changed(connection: SocketConnection): void {
    this.#unsaved.add(connection);
  }

  /** A part has ended a subscription. */
  ended(connection: SocketConnection, kind: SavedSubscription["kind"], id: string): void {
    if (connection.subscriptions.delete(kind + id)) this.#unsaved.add(connection);
  }

  #push(connection: SocketConnection, frame: PushFrame, length: number): void {
    const held = this.hold(connection, frame.id, length, frame.entries.length);
    if (held === undefined) return;
    const { clientId } = frame;
    this.#host.push(connection, frame, (results) => {
      this.release(connection, held);
      const lastMutationId = this.#host.watermark(connection.identity?.userId ?? null, clientId);
      connection.send({ type: "ack", id: frame.id, results, lastMutationId }, clientId !== connection.clientId);
    });
  }

  /** Asks the app once for each path. */
  authorize(connection: SocketConnection, path: string): Promise<void> {
    return authorizeOnce(connection, path, this.#host.authorize);
  }

  /** Tells clients whose sequence moved, and who got nothing that says so. */
  settle(clients: ReadonlyMap<string, number>): void {
    for (const [key, lastMutationId] of clients) {
      for (const connection of this.#clients.of(key)) {
        if (connection.toldMutation) continue;
        connection.send({
          type: "settled",
          cursor: this.#host.head(),
          epoch: this.#host.epoch(),
          lastMutationId,
        });
      }
    }
  }

  /** Sends what is queued. The platform holds it back until what was written before is on disk. */
  deliver(): void {
    if (this.#queued.size === 0) return;
    const queued = [...this.#queued];
    this.#queued.clear();
    const now = this.#host.now();
    for (const connection of queued) {
      const messages = connection.take();
      if (connection.isClosed || this.#expire(connection, now)) continue;
      const { socket } = connection;
      for (const text of this.#host.watch?.delivered(connection, messages) ?? messages) socket.send(text);
      if (socket.bufferedAmount > BUFFERED_BYTES)
        this.#end(connection, CLOSE_CODES.slowReader, "the reader does not keep up: connect again and resume");
    }
  }

  #expire(connection: SocketConnection, now: number): boolean {
    if (!connection.isExpired(now)) return false;
    this.#end(connection, CLOSE_CODES.tokenExpired, "the token has expired");
    return true;
  }

  /** Closes from our side. */
  #end(connection: SocketConnection, code: number, reason: string): void {
    if (connection.isClosed) return;
    connection.socket.close(code, reason);
    this.closed(connection, { code, reason });
  }

  /** What subscribers have been sent cannot be relied on any more: they connect again and resume. */
  reload(): void {
    for (const connection of this.#connections)
      this.#end(connection, CLOSE_CODES.reload, "subscriptions failed: connect again and resume");
  }

  /** The socket is gone. */
  closed(connection: SocketConnection, close?: { readonly code: number; readonly reason: string }): void {
    if (connection.isClosed) return;
    connection.isClosed = true;
    this.#host.watch?.socket(connection, "closed", close);
    this.#connections.delete(connection);
    this.#queued.delete(connection);
    this.#unsaved.delete(connection);
    this.#asleep.delete(connection);
    this.#deadline.forget(connection);
    this.#clients.remove(connection);
    this.#whispers.close(connection);
    this.#host.streams?.close(connection);
    void this.#host.turn(async () => {
      this.#host.parts.q.close(connection);
      this.#host.parts.s.close(connection);
      this.#store.remove(connection.id);
    });
  }

  /** The queue has nothing to do for it but to end, which saves. */
  saveSoon(connection: SocketConnection): void {
    this.#unsaved.add(connection);
    void this.#host.turn(async () => {});
  }

  /** The shard has nothing else to do. */
  idle(): void {
    this.#unsaved.idle();
  }

  #save(connection: SocketConnection): void {
    if (connection.isClosed) return;
    this.#store.save(connection.socket, {
      facts: connection.facts,
      subscriptions: this.subscriptionsOf(connection),
    });
  }
}

function lengthOf(args: unknown): number {
  return args === undefined ? 0 : JSON.stringify(args).length;
}
