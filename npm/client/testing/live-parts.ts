// Real clients of the apps for streams and rooms, with connections that can be cut.
import { functionReference, presenceReference } from "@lunora/protocol";
import type { FunctionReference, PresenceReference } from "@lunora/protocol";

import type { LunoraClientOptions } from "../src/index.ts";
import { LunoraClient } from "../src/index.ts";
import type { ClientEnvironment } from "../src/index.ts";

const root = { kind: "root" } as const;

/** A stream of the app for streams. */
export function streamOf<Arguments, Chunk>(name: string): FunctionReference<"stream", Arguments, Chunk, "public"> {
  return functionReference(`streams:${name}`, "stream", root);
}

/** A kind of room of the app for presence. */
export function roomOf(name: string): PresenceReference<{ name: string; note?: string }> {
  return presenceReference(`rooms:${name}`);
}

/** A page: a client whose sockets can be cut. */
export class Page {
  readonly client: LunoraClient;
  readonly sent: { readonly type: string }[] = [];
  readonly reported: unknown[] = [];
  readonly #sockets = new Set<WebSocket>();
  #isCut = false;

  constructor(url: string, options: Partial<LunoraClientOptions> = {}) {
    const open = (address: string, protocols: string[]): WebSocket => this.#open(address, protocols);
    this.client = new LunoraClient({
      url,
      ...options,
      environment: {
        report: (error) => this.reported.push(error),
        WebSocket: function (address: string, protocols: string[]) {
          return open(address, protocols);
        } as unknown as NonNullable<ClientEnvironment["WebSocket"]>,
      },
    });
  }

  #open(address: string, protocols: string[]): WebSocket {
    // A port that nobody listens on.
    const socket = new WebSocket(this.#isCut ? "ws://127.0.0.1:9" : address, protocols);
    const send = socket.send.bind(socket);
    socket.send = (text) => {
      if (String(text).startsWith("{")) this.sent.push(JSON.parse(String(text)) as { type: string });
      send(text);
    };
    this.#sockets.add(socket);
    return socket;
  }

  count(type: string): number {
    return this.sent.filter((frame) => frame.type === type).length;
  }

  /** Closes the sockets and lets no others be made. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.close();
    this.#sockets.clear();
  }

  mend(): void {
    this.#isCut = false;
  }
}

/** Waits until the store shows something that passes. */
export function shown<Value>(
  store: { subscribe(listener: () => void): () => void; getSnapshot(): Value },
  passes: (value: Value) => boolean,
): Promise<Value> {
  return new Promise((resolve) => {
    const look = (): void => {
      const value = store.getSnapshot();
      if (!passes(value)) return;
      end();
      resolve(value);
    };
    const end = store.subscribe(() => look());
    queueMicrotask(look);
  });
}
