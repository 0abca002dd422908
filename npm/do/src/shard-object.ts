import { DurableObject } from "cloudflare:workers";
import { LunoraError } from "@lunora/errors";
import { CLOSE_CODES, decodeValue, encodeFailure, HEADERS, PING, PONG } from "@lunora/protocol";
import { acceptedSocket, BINDINGS, reachObject, refusedSocket, REGISTRY_OBJECT, SHARD_HEADER } from "@lunora/runtime";
import type { RegistryMethods, ShardAnswer, ShardCall, ShardMethods } from "@lunora/runtime";
import { findFunction } from "@lunora/server";
import type { Environment, Identity, LunoraDefinition } from "@lunora/server";

import { failureOf } from "./engine/function-runner.ts";
import { readMeta } from "./engine/meta.ts";
import { Schema } from "./engine/schema.ts";
import { ShardEngine } from "./engine/shard-engine.ts";
import type { EngineOptions, ShardHost } from "./engine/shard-engine.ts";
import type { HostSocket } from "./engine/sockets/host-socket.ts";
import type { SocketConnection } from "./engine/sockets/socket-connection.ts";
import type { SqlStorage } from "./engine/sql.ts";

export interface ShardOptions extends EngineOptions {
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

/** Only the Worker reaches `fetch`: what it says in these headers it has established itself. */
function callerOf(request: Request): Identity | null {
  const text = request.headers.get(HEADERS.identity);
  return text === null ? null : (decodeValue(JSON.parse(text)) as Identity | null);
}

/** A socket, as the engine sees it. */
class PlatformSocket implements HostSocket {
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

/**
 * A shard, seen from the Worker. Written without the platform's types, so that an app needs none to
 * be checked.
 */
export interface ShardObject extends ShardMethods {
  alarm(): Promise<void>;
  /** The upgrade of a socket, forwarded by the Worker. */
  fetch(request: Request): Promise<Response>;
}

/** The platform makes the objects; its `DurableObjectState` and the bindings are what it hands in. */
export type ShardObjectClass = new (context: never, env: never) => ShardObject;

/** The platform's storage, as the engine asks for it. */
function hostOf(
  context: DurableObjectState,
  env: Environment,
  definition: LunoraDefinition,
  options: ShardOptions,
): ShardHost {
  const { storage } = context;
  return {
    sql: storage.sql as unknown as SqlStorage,
    env,
    now: options.now ?? Date.now,
    transactionSync: (run) => storage.transactionSync(run),
    objectId: context.id.toString(),
    databaseSize: () => storage.sql.databaseSize,
    discardTurn: (reason) => context.abort(String(reason)),
    // The platform delivers no other event while the transaction is open, and its errors reset nothing.
    exclusiveTransaction: (run) => storage.transaction(run),
    sync: () => storage.sync(),
    getAlarm: () => storage.getAlarm(),
    setAlarm: (time) => storage.setAlarm(time),
    register: (name) =>
      reachObject<RegistryMethods>(definition.schema, env, BINDINGS.registry, REGISTRY_OBJECT).register(name),
  };
}

function isMutation({ functions }: LunoraDefinition, { functionPath }: ShardCall): boolean {
  return findFunction(functions, functionPath)?.kind === "mutation";
}

/** The class of the objects that hold an app's shards. */
export function createShardObject(definition: LunoraDefinition, options: ShardOptions = {}): ShardObjectClass {
  const schema = new Schema(definition.schema);

  class ShardDO extends DurableObject<Environment> implements ShardMethods {
    #engine: Promise<ShardEngine> | undefined;
    #opened: ShardEngine | undefined;
    readonly #connections = new Map<WebSocket, SocketConnection>();

    constructor(context: DurableObjectState, env: Environment) {
      super(context, env);
      // Answered without waking the object.
      context.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
      const name = context.id.name ?? this.#storedName();
      // Calls wait for this; a schema that is refused is told to each caller and resets nothing.
      if (name !== undefined)
        void context.blockConcurrencyWhile(() =>
          this.#open(name).then(
            () => {},
            () => {},
          ),
        );
    }

    #storedName(): string | undefined {
      const sql = this.ctx.storage.sql as unknown as SqlStorage;
      const hasMeta = sql.exec("SELECT 1 FROM sqlite_master WHERE name = '__lunora_meta'").toArray().length > 0;
      return hasMeta ? readMeta(sql, "name") : undefined;
    }

    #open(name: string): Promise<ShardEngine> {
      this.#engine ??= ShardEngine.open(
        definition,
        schema,
        hostOf(this.ctx, this.env, definition, options),
        name,
        options,
      )
        .then((engine) => this.#wake(engine))
        .catch((error: unknown) => {
          // A schema that is refused stays refused; whatever else went wrong may be over at the next call.
          if (!(error instanceof LunoraError)) this.#engine = undefined;
          throw error;
        });
      return this.#engine;
    }

    /** Sockets outlive the object's sleep. */
    #wake(engine: ShardEngine): ShardEngine {
      const sockets = this.ctx.getWebSockets();
      const platform = sockets.map((socket) => new PlatformSocket(socket));
      for (const [socket, connection] of engine.wake(platform)) {
        this.#connections.set(sockets[platform.indexOf(socket as PlatformSocket)] as WebSocket, connection);
      }
      this.#opened = engine;
      return engine;
    }

    async call(call: ShardCall): Promise<ShardAnswer> {
      let engine: ShardEngine;
      try {
        engine = await this.#open(call.object);
      } catch (error) {
        if (!(error instanceof LunoraError)) console.error("[lunora] the shard cannot be opened", error);
        return { ok: false, ...encodeFailure(error) };
      }
      return engine.call(call);
    }

    async batch(calls: readonly ShardCall[]): Promise<ShardAnswer[]> {
      const answers: Promise<ShardAnswer>[] = [];
      for (const call of calls) {
        // Mutations take their places and share flushes; a query sees what came before it.
        if (!isMutation(definition, call)) await Promise.all(answers);
        answers.push(this.call(call));
      }
      return Promise.all(answers);
    }

    override async fetch(request: Request): Promise<Response> {
      const name = request.headers.get(SHARD_HEADER);
      if (name === null || request.headers.get("upgrade")?.toLowerCase() !== "websocket")
        return new Response(null, { status: 426 });
      const pair = new WebSocketPair();
      const [client, server] = [pair[0], pair[1]];
      let engine: ShardEngine;
      try {
        engine = await this.#open(decodeURIComponent(name));
      } catch (error) {
        const { error: body } = failureOf("the shard cannot be opened", error);
        return refusedSocket(request, body, CLOSE_CODES.slowReader);
      }
      this.ctx.acceptWebSocket(server);
      this.#connections.set(server, engine.connect(new PlatformSocket(server), callerOf(request)));
      return acceptedSocket(request, client);
    }

    /** Opens the shard again for a socket that outlived its sleep. When that fails the socket is told, by a close. */
    async #reopen(socket: WebSocket): Promise<ShardEngine | undefined> {
      try {
        const name = this.ctx.id.name ?? this.#storedName();
        return name === undefined ? undefined : await this.#open(name);
      } catch (error) {
        failureOf("the shard cannot be opened", error);
        // A push that went nowhere would be waited for as long as the socket is open.
        new PlatformSocket(socket).close(CLOSE_CODES.slowReader, "the shard cannot be opened now");
        return undefined;
      }
    }

    override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
      const engine = this.#opened ?? (await this.#reopen(socket));
      // Without a connection the socket is given up; its close is on the way.
      const connection = this.#connections.get(socket);
      if (connection !== undefined) engine?.receive(connection, message);
    }

    override async webSocketClose(socket: WebSocket): Promise<void> {
      const engine = this.#opened ?? (await this.#reopen(socket));
      const connection = this.#connections.get(socket);
      this.#connections.delete(socket);
      if (connection !== undefined) engine?.disconnect(connection);
      // Answers a close that came from the other side.
      new PlatformSocket(socket).close(1000, "");
    }

    override async webSocketError(socket: WebSocket): Promise<void> {
      await this.webSocketClose(socket);
    }

    override async alarm(): Promise<void> {
      const name = this.ctx.id.name ?? this.#storedName();
      if (name === undefined) return;
      const engine = await this.#open(name);
      await engine.ring();
    }
  }

  return ShardDO as unknown as ShardObjectClass;
}
