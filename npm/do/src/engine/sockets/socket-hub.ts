import { LunoraError } from "@lunora/errors";
import { CAPABILITIES, CLOSE_CODES, FRAME_BYTES, parseFrame } from "@lunora/protocol";
import type {
  Capability,
  ClientFrame,
  ConnectFrame,
  PushFrame,
  PushResult,
  ShapeSubscribeFrame,
  SubscribeFrame,
} from "@lunora/protocol";
import type { Identity } from "@lunora/server";

import { failureOf } from "../function-runner.ts";
import type { SavedSubscription } from "../live/connection.ts";
import { clientKey } from "../live/flush.ts";
import type { LivePart } from "../live/live-host.ts";
import type { SqlStorage } from "../sql.ts";
import type { HostSocket } from "./host-socket.ts";
import { isLonger, pack } from "./pack-frames.ts";
import { SocketConnection } from "./socket-connection.ts";
import { SocketStore } from "./socket-store.ts";
import { Whispers } from "./whispers.ts";

/** Subscriptions of all kinds on one socket, and characters of arguments kept for them. */
export const MAX_SUBSCRIPTIONS = 1_000;
const SUBSCRIPTION_LENGTH = 4_000_000;

/** Characters of pushes that wait on one socket. */
const PENDING_LENGTH = 16_000_000;

/** Bytes that may wait for a reader before its socket is given up. */
const BUFFERED_BYTES = 8_388_608;

/** Permissions remembered for one socket. */
const PERMISSIONS = 2_000;

/** What sockets need of their shard. */
export interface HubHost {
  readonly storage: SqlStorage;
  now(): number;
  epoch(): string;
  head(): number;
  watermark(userId: string | null, clientId: string): number;
  /** What answers subscriptions, by kind. */
  readonly parts: { readonly q: LivePart<SubscribeFrame>; readonly s: LivePart<ShapeSubscribeFrame> };
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
  readonly #whispers = new Whispers();
  readonly #connections = new Set<SocketConnection>();
  readonly #clients = new Map<string, Set<SocketConnection>>();
  readonly #queued = new Set<SocketConnection>();
  readonly #unsaved = new Set<SocketConnection>();
  readonly #asleep = new Map<SocketConnection, readonly SavedSubscription[]>();

  constructor(host: HubHost) {
    this.#host = host;
    this.#store = new SocketStore(host.storage);
  }

  get size(): number {
    return this.#connections.size;
  }

  #create(socket: HostSocket, facts: SocketConnection["facts"]): SocketConnection {
    const connection = new SocketConnection(socket, facts, (queued) => this.#queued.add(queued));
    this.#connections.add(connection);
    return connection;
  }

  /** A socket that was just accepted. */
  open(socket: HostSocket, identity: Identity | null): SocketConnection {
    const connection = this.#create(socket, { id: crypto.randomUUID(), identity });
    this.#save(connection);
    return connection;
  }

  /** Sockets that outlived sleep. Their subscriptions come back with {@link restore}. */
  wake(sockets: readonly HostSocket[]): Map<HostSocket, SocketConnection> {
    const connections = new Map<HostSocket, SocketConnection>();
    for (const socket of sockets) {
      const state = this.#store.load(socket);
      if (state === undefined) {
        socket.close(CLOSE_CODES.reload, "the connection's state is lost: connect again");
        continue;
      }
      const connection = this.#create(socket, state.facts);
      for (const saved of state.subscriptions)
        connection.subscriptions.set(saved.kind + saved.id, lengthOf(saved.args));
      this.#asleep.set(connection, state.subscriptions);
      this.#register(connection);
      connections.set(socket, connection);
    }
    this.#store.keepOnly([...connections.values()].map(({ id }) => id));
    return connections;
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
          this.#end(connection, CLOSE_CODES.reload, "the subscriptions are lost: connect again");
        }
      }
      for (const { kind, id } of saved) if (kind === "w") this.#whispers.join(connection, id);
    }
  }

  #register(connection: SocketConnection): void {
    if (connection.clientId === undefined) return;
    const key = clientKey(connection.identity?.userId ?? null, connection.clientId);
    const members = this.#clients.get(key);
    if (members === undefined) this.#clients.set(key, new Set([connection]));
    else members.add(connection);
  }

  /** A message came in. */
  receive(connection: SocketConnection, data: string | ArrayBuffer): void {
    if (connection.isClosed || this.#expire(connection)) return;
    let frame: ClientFrame;
    try {
      frame = this.#read(connection, data);
    } catch (error) {
      const { error: body } = failureOf("a frame", error);
      connection.send({ type: "error", error: body });
      this.deliver();
      const isLong = error instanceof LunoraError && error.code === "FRAME_TOO_LARGE";
      this.#end(connection, isLong ? CLOSE_CODES.tooLarge : CLOSE_CODES.protocolError, body.code);
      return;
    }
    this.#handle(connection, frame, (data as string).length);
    this.deliver();
  }

  #read(connection: SocketConnection, data: string | ArrayBuffer): ClientFrame {
    if (typeof data !== "string") throw new LunoraError("FRAME_MALFORMED", "frames are text, not bytes");
    if (isLonger(data, FRAME_BYTES))
      throw new LunoraError("FRAME_TOO_LARGE", `a frame has at most ${FRAME_BYTES} bytes`, {
        data: { limit: FRAME_BYTES },
      });
    const frame = parseFrame(data);
    if (connection.isConnected === (frame.type === "connect"))
      throw new LunoraError(
        "FRAME_OUT_OF_STATE",
        connection.isConnected ? "`connect` comes once" : `\`${frame.type}\` came before \`connect\``,
      );
    return frame;
  }

  #handle(connection: SocketConnection, frame: ClientFrame, length: number): void {
    switch (frame.type) {
      case "connect":
        return this.#connect(connection, frame);
      case "subscribe":
      case "shape_subscribe":
        return this.#subscribe(connection, frame, length);
      case "unsubscribe":
        return this.#unsubscribe(connection, "q", frame.id);
      case "shape_unsubscribe":
        return this.#unsubscribe(connection, "s", frame.id);
      case "push":
        return this.#push(connection, frame, length);
      case "stream":
        return this.#refuse(connection, frame.id, new LunoraError("NOT_IMPLEMENTED", "this version has no streams"));
      case "whisper_subscribe":
        return this.#joinTopic(connection, frame.topic);
      case "whisper_unsubscribe":
        if (connection.subscriptions.delete(`w${frame.topic}`)) this.#unsaved.add(connection);
        return this.#whispers.leave(connection, frame.topic);
      case "whisper":
        return this.#whisper(connection, frame.topic, frame.data);
    }
  }

  #refuse(connection: SocketConnection, id: string, error: unknown): void {
    connection.send({ type: "error", id, error: failureOf(id, error).error });
  }

  #connect(connection: SocketConnection, { id, clientId, caps = [] }: ConnectFrame): void {
    const known: ReadonlySet<string> = new Set(Object.values(CAPABILITIES));
    const capabilities = [...new Set(caps)].filter((name): name is Capability => known.has(name));
    connection.greet(clientId, capabilities);
    this.#register(connection);
    this.#unsaved.add(connection);
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

  /** Notes a subscription, unless there are too many. */
  #admit(connection: SocketConnection, key: string, id: string, length: number): boolean {
    const { subscriptions } = connection;
    let total = length;
    // Counted only when it matters: the sum of many short ones cannot be too long.
    if (length * (subscriptions.size + 1) > SUBSCRIPTION_LENGTH || subscriptions.size > 100)
      for (const [other, kept] of subscriptions) if (other !== key) total += kept;
    if ((subscriptions.size < MAX_SUBSCRIPTIONS || subscriptions.has(key)) && total <= SUBSCRIPTION_LENGTH) {
      subscriptions.set(key, length);
      this.#unsaved.add(connection);
      return true;
    }
    this.#refuse(
      connection,
      id,
      new LunoraError(
        "SUBSCRIPTION_LIMIT",
        `a socket has at most ${MAX_SUBSCRIPTIONS} subscriptions, with at most ${SUBSCRIPTION_LENGTH} characters of arguments`,
        { data: { limit: MAX_SUBSCRIPTIONS } },
      ),
    );
    return false;
  }

  #subscribe(connection: SocketConnection, frame: SubscribeFrame | ShapeSubscribeFrame, length: number): void {
    const kind = frame.type === "subscribe" ? "q" : "s";
    const key = kind + frame.id;
    if (!this.#admit(connection, key, frame.id, length)) return;
    void this.#host.turn(async () => {
      if (connection.isClosed) return;
      try {
        if (frame.type === "subscribe") await this.#host.parts.q.subscribe(connection, frame);
        else await this.#host.parts.s.subscribe(connection, frame);
      } catch (error) {
        connection.subscriptions.delete(key);
        this.#refuse(connection, frame.id, error);
      }
      this.#unsaved.add(connection);
    });
  }

  #unsubscribe(connection: SocketConnection, kind: "q" | "s", id: string): void {
    connection.subscriptions.delete(kind + id);
    void this.#host.turn(async () => {
      this.#host.parts[kind].unsubscribe(connection, id);
      this.#unsaved.add(connection);
    });
  }

  #push(connection: SocketConnection, frame: PushFrame, length: number): void {
    if (connection.pending + length > PENDING_LENGTH)
      return this.#refuse(
        connection,
        frame.id,
        new LunoraError("RATE_LIMITED", "too many entries of this socket wait already; nothing of this push was run"),
      );
    connection.pending += length;
    this.#host.push(connection, frame, (results) => {
      connection.pending -= length;
      connection.send({
        type: "ack",
        id: frame.id,
        results,
        lastMutationId: this.#host.watermark(connection.identity?.userId ?? null, frame.clientId),
      });
    });
  }

  /** Asks the app once for each path. */
  authorize(connection: SocketConnection, path: string): Promise<void> {
    const known = connection.permissions.get(path);
    if (known !== undefined) return known;
    if (connection.permissions.size >= PERMISSIONS) {
      connection.permissions.clear();
      connection.permitted.clear();
    }
    const answer = this.#host.authorize(connection.identity, path);
    connection.permissions.set(path, answer);
    answer.then(
      () => connection.permitted.add(path),
      // Whoever asked is told; a refusal is asked about again.
      () => connection.permissions.delete(path),
    );
    return answer;
  }

  #joinTopic(connection: SocketConnection, topic: string): void {
    if (!this.#admit(connection, `w${topic}`, topic, 0)) return;
    this.authorize(connection, `whisper:${topic}`).then(
      () => {
        if (connection.subscriptions.has(`w${topic}`) && !connection.isClosed) this.#whispers.join(connection, topic);
      },
      (error: unknown) => {
        connection.subscriptions.delete(`w${topic}`);
        this.#refuse(connection, topic, error);
        this.deliver();
      },
    );
  }

  #whisper(connection: SocketConnection, topic: string, data: unknown): void {
    this.authorize(connection, `whisper:${topic}`)
      .then(() => this.#whispers.send(connection, topic, data, this.#host.now()))
      .catch((error: unknown) => this.#refuse(connection, topic, error))
      .finally(() => this.deliver());
  }

  /** Tells clients whose sequence moved, and who got nothing that says so. */
  settle(clients: ReadonlyMap<string, number>): void {
    for (const [key, lastMutationId] of clients) {
      for (const connection of this.#clients.get(key) ?? []) {
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
    for (const connection of queued) {
      const texts = connection.take();
      if (connection.isClosed || this.#expire(connection)) continue;
      const { socket } = connection;
      for (const text of pack(texts, connection.capabilities.has(CAPABILITIES.batch))) socket.send(text);
      if (socket.bufferedAmount > BUFFERED_BYTES)
        this.#end(connection, CLOSE_CODES.slowReader, "the reader does not keep up: connect again and resume");
    }
  }

  #expire(connection: SocketConnection): boolean {
    if (!connection.isExpired(this.#host.now())) return false;
    this.#end(connection, CLOSE_CODES.tokenExpired, "the token has expired");
    return true;
  }

  /** Closes from our side. */
  #end(connection: SocketConnection, code: number, reason: string): void {
    if (connection.isClosed) return;
    connection.socket.close(code, reason);
    this.closed(connection);
  }

  /** What subscribers have been sent cannot be relied on any more: they connect again and resume. */
  reload(): void {
    for (const connection of this.#connections)
      this.#end(connection, CLOSE_CODES.reload, "subscriptions failed: connect again and resume");
  }

  /** The socket is gone. */
  closed(connection: SocketConnection): void {
    if (connection.isClosed) return;
    connection.isClosed = true;
    this.#connections.delete(connection);
    this.#queued.delete(connection);
    this.#unsaved.delete(connection);
    this.#asleep.delete(connection);
    if (connection.clientId !== undefined) {
      const key = clientKey(connection.identity?.userId ?? null, connection.clientId);
      const members = this.#clients.get(key);
      if (members?.delete(connection) === true && members.size === 0) this.#clients.delete(key);
    }
    const topics = [...connection.subscriptions.keys()].filter((key) => key.startsWith("w"));
    this.#whispers.close(
      connection,
      topics.map((key) => key.slice(1)),
    );
    void this.#host.turn(async () => {
      this.#host.parts.q.close(connection);
      this.#host.parts.s.close(connection);
      this.#store.remove(connection.id);
    });
  }

  /** Keeps what changed; called when the shard has nothing else to do, since only then it can fall asleep. */
  saveAll(): void {
    for (const connection of this.#unsaved) this.#save(connection);
    this.#unsaved.clear();
  }

  #save(connection: SocketConnection): void {
    const { q, s } = this.#host.parts;
    const topics = [...connection.subscriptions.keys()].filter((key) => key.startsWith("w"));
    this.#store.save(connection.socket, {
      facts: connection.facts,
      subscriptions: [
        ...q.saved(connection),
        ...s.saved(connection),
        ...topics.map((key): SavedSubscription => ({ kind: "w", id: key.slice(1), name: key.slice(1) })),
      ],
    });
  }
}

function lengthOf(args: unknown): number {
  return args === undefined ? 0 : JSON.stringify(args).length;
}
