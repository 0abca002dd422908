import { Schema } from "../src/engine/schema.ts";
import { ShardEngine } from "../src/engine/shard-engine.ts";
import type { EngineOptions, ShardHost } from "../src/engine/shard-host.ts";
import type { HostSocket } from "../src/engine/sockets/host-socket.ts";
import type { SocketConnection } from "../src/engine/sockets/socket-connection.ts";
import type { Identity, LunoraDefinition } from "@lunora/server";
import type { Loose } from "./loose.ts";
import { MemorySqlite } from "./memory-sqlite.ts";
import { provideWithResolvers } from "./with-resolvers.ts";

provideWithResolvers();

/** What the platform gives an engine, over SQLite in memory. */
export function memoryHost(sqlite: MemorySqlite): ShardHost {
  const within = (text: string): void => {
    // Several statements are not kept prepared: one that failed could not be used again.
    sqlite.exec(`${text}; SELECT 1`);
  };
  const rollback = (): void => {
    try {
      within("ROLLBACK");
    } catch {
      // SQLite has rolled back on its own.
    }
  };
  // What a turn of the event loop writes is committed as one when it ends.
  let open: "turn" | "transaction" | undefined;
  const endTurn = (): void => {
    if (open !== "turn" || sqlite.isClosed) return;
    open = undefined;
    within("COMMIT");
  };
  const begin = (): void => {
    endTurn();
    open = "transaction";
    within("BEGIN");
  };
  const commit = (): void => {
    open = undefined;
    within("COMMIT");
  };
  return {
    sql: {
      exec(statement, ...bindings) {
        if (open === undefined) {
          open = "turn";
          within("BEGIN");
          setImmediate(endTurn);
        }
        return sqlite.exec(statement, ...bindings);
      },
    },
    discardTurn() {
      if (open === "turn") rollback();
      open = undefined;
    },
    env: {},
    objectId: "object",
    now: () => 1_700_000_000_000,
    databaseSize: () => 0,
    transactionSync(run) {
      begin();
      try {
        const result = run();
        commit();
        return result;
      } catch (error) {
        rollback();
        open = undefined;
        throw error;
      }
    },
    async exclusiveTransaction(run) {
      begin();
      try {
        const result = await run();
        commit();
        return result;
      } catch (error) {
        rollback();
        open = undefined;
        throw error;
      }
    },
    sync: async () => endTurn(),
    getAlarm: async () => null,
    setAlarm: async () => {},
    register: async () => {},
  };
}

/** A socket that writes down what it is sent. */
export class MemorySocket implements HostSocket {
  readonly bufferedAmount = 0;
  readonly texts: string[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;
  #kept: string | undefined;

  send(text: string): void {
    this.texts.push(text);
  }

  close(code: number, reason: string): void {
    this.closed ??= { code, reason };
  }

  keep(text: string): void {
    this.#kept = text;
  }

  kept(): string | undefined {
    return this.#kept;
  }

  /** Everything that came, batches opened. */
  get frames(): Loose[] {
    return this.texts.flatMap((text): Loose[] => {
      const frame = JSON.parse(text) as Loose;
      return frame.type === "batch" ? frame.frames : [frame];
    });
  }
}

/** A socket as one engine has it: what that still sends when another one has taken over goes nowhere. */
class Wire implements HostSocket {
  readonly #socket: MemorySocket;
  isCut = false;

  constructor(socket: MemorySocket) {
    this.#socket = socket;
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  send(text: string): void {
    if (!this.isCut) this.#socket.send(text);
  }

  close(code: number, reason: string): void {
    if (!this.isCut) this.#socket.close(code, reason);
  }

  keep(text: string): void {
    if (!this.isCut) this.#socket.keep(text);
  }

  kept(): string | undefined {
    return this.#socket.kept();
  }
}

/** A client of a {@link MemoryShard}. */
export class MemoryClient {
  readonly socket: MemorySocket;
  connection: SocketConnection;
  readonly #shard: MemoryShard;

  constructor(shard: MemoryShard, socket: MemorySocket, connection: SocketConnection) {
    this.#shard = shard;
    this.socket = socket;
    this.connection = connection;
  }

  get frames(): Loose[] {
    return this.socket.frames;
  }

  send(frame: object): void {
    this.#shard.engine.receive(this.connection, JSON.stringify(frame));
  }

  disconnect(): void {
    this.#shard.engine.disconnect(this.connection);
    this.#shard.forget(this);
  }
}

/** The real engine with sockets, in Node: for what has to happen at a chosen moment. */
export class MemoryShard {
  readonly sqlite = new MemorySqlite();
  /** Epoch milliseconds. */
  now = 1_700_000_000_000;
  readonly host: ShardHost;
  readonly #definition: LunoraDefinition;
  readonly #options: EngineOptions;
  readonly #clients: MemoryClient[] = [];
  /** Of the clients, in their order. */
  #wires: Wire[] = [];
  engine!: ShardEngine;

  /** `host`: what is to be other than in {@link memoryHost}. */
  constructor(definition: LunoraDefinition, options: EngineOptions = {}, host: Partial<ShardHost> = {}) {
    this.host = { ...memoryHost(this.sqlite), now: () => this.now, ...host };
    this.#definition = definition;
    this.#options = options;
  }

  async open(): Promise<this> {
    this.engine = await ShardEngine.open(this.#definition, new Schema(this.#definition.schema), this.host, "__root__", {
      saveDelay: 0,
      ...this.#options,
    });
    return this;
  }

  /**
   * As if the object had slept, which it does not while a timer runs: what is not stored or kept with the sockets is
   * gone. `onAwake` runs at once.
   */
  async sleep(onAwake: () => void = () => {}): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 5));
    this.engine.retire();
    for (const wire of this.#wires) wire.isCut = true;
    this.#wires = this.#clients.map(({ socket }) => new Wire(socket));
    await this.open();
    const awake = this.engine.wake(this.#wires);
    for (const [index, client] of this.#clients.entries()) {
      const connection = awake.get(this.#wires[index] as Wire);
      if (connection !== undefined) client.connection = connection;
    }
    onAwake();
  }

  connect(clientId?: string, identity: Identity | null = null): MemoryClient {
    const socket = new MemorySocket();
    const wire = new Wire(socket);
    this.#wires.push(wire);
    const client = new MemoryClient(this, socket, this.engine.connect(wire, identity));
    this.#clients.push(client);
    client.send({ type: "connect", id: "connect", ...(clientId === undefined ? {} : { clientId }) });
    return client;
  }

  /** The client's socket is gone, and does not wake. */
  forget(client: MemoryClient): void {
    const index = this.#clients.indexOf(client);
    this.#clients.splice(index, 1);
    this.#wires.splice(index, 1);
  }

  call(functionPath: string, args: object = {}): Promise<Loose> {
    return this.engine.call({ object: "__root__", functionPath, args, identity: null });
  }

  /** Everything that was sent before has been handled, and what waits for nothing but microtasks has happened. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
}
