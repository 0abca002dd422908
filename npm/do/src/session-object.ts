import { DurableObject } from "cloudflare:workers";
import { LunoraError } from "@lunora/errors";
import { CLOSE_CODES, PING, PONG } from "@lunora/protocol";
import { acceptedSocket, PRESENCE_HEADER, refusedSocket } from "@lunora/runtime";
import { isRegisteredPresence } from "@lunora/server";
import type { Environment, LunoraDefinition, RegisteredPresence } from "@lunora/server";

import { failureOf } from "./engine/function-runner.ts";
import type { SqlStorage } from "./engine/sql.ts";
import { callerOf, PlatformSocket } from "./platform-socket.ts";
import { ROOM_TIMES, RoomEngine } from "./session/room-engine.ts";
import type { RoomHost, RoomSocket, RoomTimes } from "./session/room-engine.ts";

export interface SessionOptions {
  readonly times?: Partial<RoomTimes>;
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

/** A room, seen from the Worker. Written without the platform's types, so that an app needs none to be checked. */
export interface SessionObject {
  alarm(): Promise<void>;
  /** The upgrade of a socket, forwarded by the Worker. */
  fetch(request: Request): Promise<Response>;
}

export type SessionObjectClass = new (context: never, env: never) => SessionObject;

class PlatformRoomSocket extends PlatformSocket implements RoomSocket {
  readonly #pinged: () => Date | null;

  constructor(socket: WebSocket, pinged: () => Date | null) {
    super(socket);
    this.#pinged = pinged;
  }

  get pingedAt(): number | null {
    return this.#pinged()?.getTime() ?? null;
  }
}

async function kindOf({ presence = {} }: LunoraDefinition, path: string): Promise<RegisteredPresence> {
  const entry = Object.hasOwn(presence, path) ? presence[path] : undefined;
  const registered = entry === undefined ? undefined : (await entry.module())[entry.exportName];
  if (!isRegisteredPresence(registered)) throw new LunoraError("NOT_FOUND", `there are no rooms \`${path}\``);
  return registered;
}

/** The storage of a room: what kind of room it is. */
const PATH = "CREATE TABLE IF NOT EXISTS room(path TEXT NOT NULL)";

/** The class of the objects that know who is in a room. */
export function createSessionObject(definition: LunoraDefinition, options: SessionOptions = {}): SessionObjectClass {
  const times = { ...ROOM_TIMES, ...options.times };

  class SessionDO extends DurableObject<Environment> {
    readonly #sockets = new Map<WebSocket, PlatformRoomSocket>();
    #engine: RoomEngine | undefined;
    #opening: Promise<RoomEngine> | undefined;

    constructor(context: DurableObjectState, env: Environment) {
      super(context, env);
      // Answered without waking the object.
      context.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
      const { sql } = context.storage;
      sql.exec(PATH);
      const [row] = sql.exec("SELECT path FROM room").toArray();
      // Members that outlived sleep are back before anything else happens.
      if (row !== undefined)
        void context.blockConcurrencyWhile(() =>
          this.#open(String(row["path"])).then(
            () => {},
            (error: unknown) => void failureOf("a room", error),
          ),
        );
    }

    #open(path: string): Promise<RoomEngine> {
      this.#opening ??= kindOf(definition, path)
        .then((kind) => {
          for (const socket of this.ctx.getWebSockets()) this.#wrap(socket);
          return (this.#engine = new RoomEngine(kind, this.#host(), times, this.#sockets.values()));
        })
        .catch((error: unknown) => {
          this.#opening = undefined;
          throw error;
        });
      return this.#opening;
    }

    #wrap(socket: WebSocket): PlatformRoomSocket {
      const wrapped = new PlatformRoomSocket(socket, () => this.ctx.getWebSocketAutoResponseTimestamp(socket));
      this.#sockets.set(socket, wrapped);
      return wrapped;
    }

    #host(): RoomHost {
      const { storage } = this.ctx;
      return {
        sql: storage.sql as unknown as SqlStorage,
        now: options.now ?? Date.now,
        newName: () => crypto.randomUUID(),
        later: (milliseconds, run) => void setTimeout(run, milliseconds),
        setAlarm: (time) => void (time === null ? storage.deleteAlarm() : storage.setAlarm(time)),
      };
    }

    override async fetch(request: Request): Promise<Response> {
      const header = request.headers.get(PRESENCE_HEADER);
      if (header === null || request.headers.get("upgrade")?.toLowerCase() !== "websocket")
        return new Response(null, { status: 426 });
      const path = decodeURIComponent(header);
      let engine: RoomEngine;
      try {
        engine = await this.#open(path);
        engine.assertRoom();
      } catch (error) {
        return refusedSocket(request, failureOf("a room", error).error, CLOSE_CODES.slowReader);
      }
      const { sql } = this.ctx.storage;
      if (sql.exec("SELECT 1 FROM room").toArray().length === 0) sql.exec("INSERT INTO room VALUES(?)", path);
      const pair = new WebSocketPair();
      const [client, server] = [pair[0], pair[1]];
      this.ctx.acceptWebSocket(server);
      const identity = callerOf(request);
      engine.open(this.#wrap(server), {
        userId: identity?.userId ?? null,
        ...(identity?.expiresAt === undefined ? {} : { expiresAt: identity.expiresAt }),
      });
      return acceptedSocket(request, client);
    }

    override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
      const known = this.#sockets.get(socket);
      if (this.#engine !== undefined && known !== undefined) this.#engine.receive(known, message);
      // The kind of room is not there any more: nobody would ever answer.
      else new PlatformSocket(socket).close(CLOSE_CODES.reload, "the room cannot be opened: connect again");
    }

    override async webSocketClose(socket: WebSocket, code: number): Promise<void> {
      const known = this.#sockets.get(socket);
      this.#sockets.delete(socket);
      if (known !== undefined) this.#engine?.closed(known, code);
      // Answers a close that came from the other side.
      new PlatformSocket(socket).close(1000, "");
    }

    override async webSocketError(socket: WebSocket): Promise<void> {
      await this.webSocketClose(socket, 1006);
    }

    override async alarm(): Promise<void> {
      this.#engine?.ring();
    }
  }

  return SessionDO as unknown as SessionObjectClass;
}
