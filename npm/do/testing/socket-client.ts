import { WebSocket } from "ws";

import { encodeValue } from "@lunora/protocol";
import type { ServerFrame } from "@lunora/protocol";

import type { Loose } from "./loose.ts";
import type { TestWorker } from "./workerd.ts";

export interface SocketOptions {
  readonly shard?: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly protocols?: readonly string[];
}

/** How a socket was closed. */
export interface Closing {
  readonly code: number;
  readonly reason: string;
}

/** A real socket of a test, which writes down what it hears. */
export class SocketClient {
  readonly #socket: WebSocket;
  /** Every frame, batches opened. */
  readonly frames: Loose[] = [];
  /** Every message as it came. */
  readonly messages: string[] = [];
  readonly closed: Promise<Closing>;
  #waiters: (() => void)[] = [];
  #next = 1;
  #hasClosed = false;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      socket.on("close", (code, reason) => {
        this.#hasClosed = true;
        resolve({ code, reason: reason.toString() });
        this.#wake();
      });
    });
    socket.on("error", () => {});
    socket.on("message", (data) => {
      const text = String(data);
      this.messages.push(text);
      if (text.startsWith("{")) {
        const frame = JSON.parse(text) as Loose;
        this.frames.push(...(frame.type === "batch" ? frame.frames : [frame]));
      } else {
        this.frames.push(text);
      }
      this.#wake();
    });
  }

  static async open(
    worker: TestWorker,
    { shard, token, headers, protocols }: SocketOptions = {},
  ): Promise<SocketClient> {
    const query = shard === undefined ? "" : `?shard=${encodeURIComponent(shard)}`;
    const socket = new WebSocket(
      `${worker.origin.replace("http", "ws")}/_lunora/ws${query}`,
      protocols === undefined ? [] : [...protocols],
      { headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers } },
    );
    const client = new SocketClient(socket);
    await new Promise((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
      socket.once("unexpected-response", (_, response) => reject(new Error(`HTTP ${response.statusCode}`)));
    });
    return client;
  }

  /** Opens and connects; resolves to the client and its ack. */
  static async connect(
    worker: TestWorker,
    connect: { clientId?: string; caps?: string[] } = {},
    options: SocketOptions = {},
  ): Promise<SocketClient> {
    const client = await SocketClient.open(worker, options);
    client.send({ type: "connect", id: "connect", ...connect });
    await client.next((frame) => frame.type === "ack" && frame.id === "connect");
    return client;
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  get raw(): WebSocket {
    return this.#socket;
  }

  get hasClosed(): boolean {
    return this.#hasClosed;
  }

  get connectAck(): Loose {
    return this.frames.find((frame) => frame.type === "ack" && frame.id === "connect");
  }

  send(frame: object | string): void {
    this.#socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  /** The first frame, from the place on, that passes. Rejects when the socket closes without one. */
  async next(passes: (frame: Loose) => boolean, from = 0): Promise<Loose> {
    for (;;) {
      const found = this.frames.slice(from).find(passes);
      if (found !== undefined) return found;
      if (this.#hasClosed) throw new Error(`the socket closed; frames: ${JSON.stringify(this.frames).slice(0, 2_000)}`);
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  /** Pushes entries; resolves to the ack. */
  async push(
    clientId: string,
    entries: readonly { clientSeq: unknown; functionPath: string; args?: object; mutationId?: string }[],
    rest: object = {},
  ): Promise<Loose> {
    const id = `push ${(this.#next += 1)}`;
    this.send({
      type: "push",
      id,
      clientId,
      entries: entries.map((entry) => ({ ...entry, args: encodeValue(entry.args ?? {}) })),
      ...rest,
    });
    return this.next((frame: ServerFrame) => (frame.type === "ack" || frame.type === "error") && frame.id === id);
  }

  close(): void {
    this.#socket.close();
  }

  /** Drops the connection without a word. */
  terminate(): void {
    this.#socket.terminate();
  }
}
