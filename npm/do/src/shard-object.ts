import { DurableObject } from "cloudflare:workers";
import { fromErrorBody, LunoraError } from "@lunora/errors";
import { CLOSE_CODES, encodeFailure, PING, PONG } from "@lunora/protocol";
import {
  acceptedSocket,
  BINDINGS,
  observer,
  reachObject,
  refusedSocket,
  REGISTRY_OBJECT,
  SHARD_HEADER,
} from "@lunora/runtime";
import type {
  AdminAnswer,
  AdminCall,
  AdminMethods,
  RegistryMethods,
  ShardAnswer,
  ShardCall,
  ShardJobMethods,
  ShardJobRequest,
  ShardMethods,
} from "@lunora/runtime";
import { findFunction } from "@lunora/server";
import type { Environment, LunoraDefinition } from "@lunora/server";

import { failureOf } from "./engine/function-runner.ts";
import { readMeta } from "./engine/meta.ts";
import type { AdminPart, ShardAdmin } from "./engine/admin/admin-part.ts";
import { Schema } from "./engine/schema.ts";
import { ShardEngine } from "./engine/shard-engine.ts";
import type { EngineOptions, ShardHost } from "./engine/shard-host.ts";
import type { SocketConnection } from "./engine/sockets/socket-connection.ts";
import type { SqlStorage } from "./engine/sql.ts";
import { callerOf, PlatformSocket } from "./platform-socket.ts";

export interface ShardOptions extends EngineOptions {
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

/**
 * A shard, seen from the Worker. Written without the platform's types, so that an app needs none to
 * be checked.
 */
export interface ShardObject extends ShardMethods, ShardJobMethods {
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
    observer: observer(),
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

/** While rows are imported, sweeps wait so long before they ask again, milliseconds. */
const IMPORT_PAUSE = 60_000;

/** An operation of the registry's admin part. */
async function askRegistry<Answer>(
  definition: LunoraDefinition,
  env: Environment,
  operation: string,
  argument: unknown,
): Promise<Answer> {
  const registry = reachObject<AdminMethods>(definition.schema, env, BINDINGS.registry, REGISTRY_OBJECT);
  const answer = await registry.admin({ object: REGISTRY_OBJECT, operation, argument });
  if (answer.ok) return answer.value as Answer;
  throw fromErrorBody(answer.body.error, answer.status);
}

function isMutation({ functions }: LunoraDefinition, { functionPath }: ShardCall): boolean {
  return findFunction(functions, functionPath)?.kind === "mutation";
}

/** The class of the objects that hold an app's shards. */
export function createShardObject(definition: LunoraDefinition, options: ShardOptions = {}): ShardObjectClass {
  const schema = new Schema(definition.schema);

  class ShardDO extends DurableObject<Environment> implements ShardMethods, ShardJobMethods, AdminMethods {
    #engine: Promise<ShardEngine> | undefined;
    #opened: ShardEngine | undefined;
    readonly #connections = new Map<WebSocket, SocketConnection>();
    #admin: ShardAdmin | undefined;

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
      this.#admin = (definition.admin as AdminPart | undefined)?.shard({
        sql: this.ctx.storage.sql as unknown as SqlStorage,
        engine,
        migrations: definition.migrations,
        now: options.now ?? Date.now,
        transactionSync: (run) => this.ctx.storage.transactionSync(run),
        sync: () => this.ctx.storage.sync(),
        giveWay: () => new Promise((resolve) => setTimeout(resolve, 0)),
        registry: (operation, argument) => askRegistry(definition, this.env, operation, argument),
        reopen: () => {
          engine.retire();
          this.#engine = this.#opened = this.#admin = undefined;
          this.#connections.clear();
          for (const socket of this.ctx.getWebSockets())
            new PlatformSocket(socket).close(CLOSE_CODES.reload, "the rows are others now: connect again");
        },
      });
      return engine;
    }

    /** The shard, once nothing stands in the way of using it. */
    async #ready(name: string): Promise<ShardEngine> {
      const engine = await this.#open(name);
      const gate = this.#admin?.gate();
      if (gate === undefined) return engine;
      await gate;
      return this.#open(name);
    }

    async admin({ object, operation, argument }: AdminCall): Promise<AdminAnswer> {
      try {
        const engine = operation.startsWith("import") ? await this.#open(object) : await this.#ready(object);
        if (engine.name !== object) throw new LunoraError("SHARD_MISMATCH", `this is \`${engine.name}\``);
        if (this.#admin === undefined) throw new LunoraError("NOT_FOUND", "the app's definition has no `admin`");
        return { ok: true, value: await this.#admin.run(operation, argument) };
      } catch (error) {
        const { status, error: body } = failureOf(`admin ${operation}`, error);
        return { ok: false, status, body: { error: body } };
      }
    }

    async call(call: ShardCall): Promise<ShardAnswer> {
      let engine: ShardEngine;
      try {
        engine = await this.#ready(call.object);
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

    async jobs(shard: string, request: ShardJobRequest): Promise<void> {
      const engine = await this.#ready(shard);
      await engine.jobs(request);
    }

    override async fetch(request: Request): Promise<Response> {
      const name = request.headers.get(SHARD_HEADER);
      if (name === null || request.headers.get("upgrade")?.toLowerCase() !== "websocket")
        return new Response(null, { status: 426 });
      const pair = new WebSocketPair();
      const [client, server] = [pair[0], pair[1]];
      let engine: ShardEngine;
      try {
        engine = await this.#ready(decodeURIComponent(name));
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
      // The platform lets an object sleep, and forget, when no event is being handled.
      if (connection !== undefined) await engine?.receive(connection, message);
    }

    override async webSocketClose(socket: WebSocket, code?: number, reason?: string): Promise<void> {
      const engine = this.#opened ?? (await this.#reopen(socket));
      const connection = this.#connections.get(socket);
      this.#connections.delete(socket);
      if (connection !== undefined)
        engine?.disconnect(connection, code === undefined ? undefined : { code, reason: reason ?? "" });
      // Answers a close that came from the other side.
      new PlatformSocket(socket).close(1000, "");
    }

    override async webSocketError(socket: WebSocket): Promise<void> {
      await this.webSocketClose(socket);
    }

    override async alarm(): Promise<void> {
      const name = this.ctx.id.name ?? this.#storedName();
      if (name === undefined) return;
      try {
        const engine = await this.#ready(name);
        await engine.ring();
      } catch (error) {
        if (!(error instanceof LunoraError) || error.code !== "IMPORT_IN_PROGRESS") throw error;
        await this.ctx.storage.setAlarm((options.now ?? Date.now)() + IMPORT_PAUSE);
      }
    }
  }

  return ShardDO as unknown as ShardObjectClass;
}
