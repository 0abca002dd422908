// Somebody's device: it writes while it has no network, and goes on when it has.
import { LunoraClient } from "lunorash/client";
import type { ClientEnvironment, ClientSocket } from "lunorash/client";
import { offline } from "lunorash/client/offline";
import { functionReference } from "lunorash/protocol";
import type { FunctionReference } from "lunorash/protocol";
import { WebSocket } from "ws";
import { until } from "../support/app.ts";

const root = { kind: "root" } as const;
const ship = { kind: "argument", argument: "ship", field: "ship" } as const;

type Mutation<Arguments> = FunctionReference<"mutation", Arguments, string, "public">;
const launch: Mutation<{ name: string }> = functionReference("ships:launch", "mutation", root);
const write: Mutation<{ ship: string; text: string }> = functionReference("entries:write", "mutation", ship);
const listed: FunctionReference<"query", { ship: string }, { text: string }[], "public"> = functionReference(
  "entries:list",
  "query",
  ship,
);

type Storage = NonNullable<NonNullable<Parameters<typeof offline>[0]>["storage"]>;

/** What the device keeps when the page is closed. */
export function deviceStorage(): Storage {
  const values = new Map<string, string>();
  return {
    list: async (prefix) =>
      [...values]
        .filter(([key]) => key.startsWith(prefix))
        .sort(([left], [right]) => (left < right ? -1 : 1))
        .map(([key, value]) => [key, JSON.parse(value) as unknown]),
    write: async (changes) => {
      for (const [key, value] of changes) {
        if (value === undefined) values.delete(key);
        else values.set(key, JSON.stringify(value));
      }
    },
  };
}

/** A page on a device. */
export class Traveller {
  readonly client: LunoraClient;
  /** Errors that had no caller to go to. */
  readonly reported: unknown[] = [];
  readonly #sockets = new Set<WebSocket>();
  #isOnline = true;
  #losing: (() => void) | undefined;
  #networkListener: (isOnline: boolean) => void = () => {};

  constructor(url: string, storage: Storage) {
    const open = (address: string, protocols: string[]): ClientSocket => this.#open(address, protocols);
    const environment: Partial<ClientEnvironment> = {
      report: (error) => this.reported.push(error),
      onNetworkChange: (listener) => {
        this.#networkListener = listener;
        return () => {};
      },
      WebSocket: function (address: string, protocols: string[]) {
        return open(address, protocols);
      } as unknown as NonNullable<ClientEnvironment["WebSocket"]>,
    };
    this.client = new LunoraClient({ url, subject: "traveller", offline: offline({ storage }), environment });
  }

  #open(address: string, protocols: string[]): ClientSocket {
    // Without a network: a port that nobody listens on.
    const socket = new WebSocket(this.#isOnline ? address : "ws://127.0.0.1:9", protocols);
    this.#sockets.add(socket);
    let isLost = false;
    socket.addEventListener("close", () => this.#sockets.delete(socket));
    return {
      send: (text) => {
        if (this.#losing !== undefined && text.includes('"push"')) isLost = true;
        socket.send(text);
      },
      close: (code) => socket.close(code),
      addEventListener: (type: string, listener: (event: never) => void) => {
        if (type !== "message") return socket.addEventListener(type as "open", listener as () => void);
        socket.addEventListener("message", (event) => {
          // The server has done what it was asked, and the page is never told.
          if (isLost) this.#losing?.();
          else listener(event as never);
        });
      },
    };
  }

  /** Cuts what is open; nothing else can be opened. */
  goOffline(): void {
    this.#isOnline = false;
    this.#networkListener(false);
    for (const socket of this.#sockets) socket.terminate();
  }

  comeBack(): void {
    this.#isOnline = true;
    this.#networkListener(true);
  }

  launch(name: string): Promise<string> {
    return this.client.mutation(launch, { name });
  }

  write(name: string, text: string): Promise<string> {
    return this.client.mutation(write, { ship: name, text });
  }

  /** Writes what the server stores, and loses the network in place of its answer, which is still to come. */
  async writeAndLoseAnswer(name: string, text: string): Promise<{ readonly answer: Promise<string> }> {
    const isLost = new Promise<void>((resolve) => (this.#losing = resolve));
    const answer = this.write(name, text);
    await isLost;
    this.#losing = undefined;
    this.goOffline();
    return { answer };
  }

  /** Follows the entries of a ship; answers a function that tells their texts. */
  follow(name: string): () => string[] {
    const view = this.client.liveQuery(listed, { ship: name });
    view.subscribe(() => {});
    return () => (view.getSnapshot().data ?? []).map(({ text }) => text).sort();
  }

  /** Resolves when the server has decided everything. */
  settled(): Promise<unknown> {
    return until("nothing waits any more", () => this.client.pendingCount.getSnapshot() === 0);
  }

  close(): void {
    this.client.close();
  }
}
