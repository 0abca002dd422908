import { LunoraError } from "@lunora/errors";
import { encodeFailure } from "@lunora/protocol";
import type { Capability, ServerFrame, ShapeSubscribeFrame } from "@lunora/protocol";
import type { Identity, LunoraDefinition } from "@lunora/server";

import { Commit } from "../src/engine/commit.ts";
import { databaseFactory } from "../src/engine/database.ts";
import type { Connection, SavedSubscription } from "../src/engine/live/connection.ts";
import { clientKey } from "../src/engine/live/flush.ts";
import type { LiveHost } from "../src/engine/live/live-host.ts";
import { LiveShapes } from "../src/engine/live/live-shapes.ts";
import { createLogTables, OpLog } from "../src/engine/op-log.ts";
import { Schema } from "../src/engine/schema.ts";
import { Session } from "../src/engine/session.ts";
import type { SharedFrames } from "../src/engine/sockets/shared-frames.ts";
import { scopeOf } from "../src/engine/shard-scope.ts";
import { applySchema, createInternalTables } from "../src/engine/storage-layout.ts";
import type { Loose } from "./loose.ts";
import { MemorySqlite } from "./memory-sqlite.ts";
import { provideWithResolvers } from "./with-resolvers.ts";

provideWithResolvers();

/** A socket that keeps what it was sent. */
export class SimulatedConnection implements Connection {
  readonly id: string;
  readonly identity: Identity | null;
  readonly clientId: string | undefined;
  readonly capabilities: ReadonlySet<Capability> = new Set<Capability>();
  readonly #frames: string[] = [];

  constructor(id: string, identity: Identity | null, clientId?: string) {
    this.id = id;
    this.identity = identity;
    this.clientId = clientId;
  }

  send(frame: ServerFrame): void {
    this.sendText(JSON.stringify(frame));
  }

  sendText(text: string): void {
    this.#frames.push(text);
  }

  sendShared({ texts }: SharedFrames): void {
    this.#frames.push(...texts);
  }

  /** The frames since the last call, as they went over the wire. */
  takeTexts(): string[] {
    return this.#frames.splice(0);
  }

  take(): Loose[] {
    return this.takeTexts().map((text) => JSON.parse(text) as Loose);
  }
}

/** Who pushed a mutation, and the position in its sequence. */
export interface Pusher {
  readonly connection: SimulatedConnection;
  readonly seq: number;
}

/**
 * A shard without its host: the real store, log and shapes over a real SQLite in memory, driven by
 * hand, one mutation a flush.
 */
export class SimulatedShard {
  readonly sqlite = new MemorySqlite();
  readonly schema: Schema;
  readonly log: OpLog;
  readonly #definition: LunoraDefinition;
  readonly #host: LiveHost;
  readonly #create: ReturnType<typeof databaseFactory>;
  readonly #connections = new Set<SimulatedConnection>();
  readonly #refused = new Set<string>();
  readonly #watermarks = new Map<string, number>();
  #shapes: LiveShapes;
  #now = 1_700_000_000_000;
  #time = 0;
  #sockets = 0;

  constructor(definition: LunoraDefinition, name = "__root__", deadline?: number) {
    this.#definition = definition;
    const storage = this.sqlite;
    const schema = new Schema(definition.schema);
    const scope = scopeOf(name);
    createInternalTables(storage);
    createLogTables(storage);
    applySchema(storage, schema, scope);
    this.schema = schema;
    this.log = new OpLog(storage, schema, name);
    this.#create = databaseFactory(schema);
    this.#host = {
      definition,
      schema,
      scope,
      storage,
      now: () => this.#now,
      turn: (run) => run(),
      epoch: () => this.log.epoch,
      head: () => this.log.head,
      floor: () => this.log.floor,
      changesSince: (seq) => this.log.changesSince(seq),
      authorize: async (_connection, path) => {
        if (this.#refused.has(path)) throw new LunoraError("FORBIDDEN_SHARD", "refused");
      },
      queryEntry: () => {
        throw new Error("no queries here");
      },
      runQuery: () => Promise.reject(new Error("no queries here")),
      lastMutationId: ({ clientId, identity }) =>
        clientId === undefined ? undefined : this.#watermarks.get(clientKey(identity?.userId ?? null, clientId)),
      changed: () => {},
      ended: () => {},
      failure: (_name, error) => encodeFailure(error).body.error,
    };
    this.#shapes = new LiveShapes(this.#host, deadline);
  }

  get shapes(): LiveShapes {
    return this.#shapes;
  }

  connect(identity: Identity | null = null, clientId?: string): SimulatedConnection {
    this.#sockets += 1;
    const connection = new SimulatedConnection(`socket ${this.#sockets}`, identity, clientId);
    this.#connections.add(connection);
    return connection;
  }

  close(connection: SimulatedConnection): void {
    this.#connections.delete(connection);
    this.#shapes.close(connection);
  }

  async subscribe(connection: SimulatedConnection, frame: Omit<ShapeSubscribeFrame, "type">): Promise<void> {
    try {
      await this.#shapes.subscribe(connection, { type: "shape_subscribe", ...frame });
    } catch (error) {
      connection.send({ type: "error", id: frame.id, error: this.#host.failure(frame.shape.name, error) });
    }
  }

  /** Runs a mutation and pokes. Rejects with what the mutation throws; then nothing was written. */
  async mutate(run: (db: Loose) => Promise<void>, pusher?: Pusher): Promise<void> {
    await this.group([run], pusher);
  }

  /** Several mutations in one flush. */
  async group(runs: readonly ((db: Loose) => Promise<void>)[], pusher?: Pusher): Promise<void> {
    const fromSeq = this.log.head;
    const changes = [];
    for (const run of runs) changes.push(...(await this.#run(run)));
    const clients = new Map<string, number>();
    if (pusher !== undefined) {
      const { identity, clientId } = pusher.connection;
      const key = clientKey(identity?.userId ?? null, clientId as string);
      clients.set(key, pusher.seq);
      this.#watermarks.set(key, pusher.seq);
    }
    if (changes.length > 0) this.log.append(changes, this.#now);
    await this.#shapes.flush({ epoch: this.log.epoch, fromSeq, toSeq: this.log.head, changes, clients });
  }

  async #run(run: (db: Loose) => Promise<void>): Promise<Commit["changes"]> {
    this.#now += 1;
    const commit = new Commit(this.sqlite);
    const session = new Session({
      host: { storage: this.sqlite, schema: this.schema, scope: this.#host.scope },
      commit,
      auth: { userId: null },
      now: this.#now,
      nextCreationTime: () => (this.#time = Math.max(this.#now, this.#time + 1 / 1024)),
    });
    try {
      await run(this.#create(session));
      await session.settle();
    } catch (error) {
      commit.undo(0);
      throw error;
    }
    return commit.changes;
  }

  /** Reads outside any subscription. */
  async read<Result>(run: (db: Loose) => Promise<Result>): Promise<Result> {
    const session = new Session({
      host: { storage: this.sqlite, schema: this.schema, scope: this.#host.scope },
      auth: { userId: null },
      now: this.#now,
      nextCreationTime: () => this.#now,
    });
    const result = await run(this.#create(session));
    await session.settle();
    return result;
  }

  /** What the app's rule says from now on about a path. */
  refuse(path: string): void {
    this.#refused.add(path);
  }

  /** The object is evicted and woken again; the sockets stay. */
  async sleep(): Promise<void> {
    const saved = Array.from(
      this.#connections,
      (connection) => [connection, JSON.parse(JSON.stringify(this.#shapes.saved(connection)))] as const,
    );
    this.#shapes = new LiveShapes({ ...this.#host, definition: this.#definition });
    for (const [connection, subscriptions] of saved)
      await this.#shapes.restore(connection, subscriptions as SavedSubscription[]);
  }

  /** The log forgets everything before the position. */
  trim(position: number): void {
    this.log.trim(position);
  }

  stop(): void {
    this.sqlite.close();
  }
}
