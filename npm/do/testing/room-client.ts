import { encodeValue } from "@lunora/protocol";
import { WebSocket } from "ws";

import type { Loose } from "./loose.ts";
import type { Closing } from "./socket-client.ts";
import type { TestWorker } from "./workerd.ts";

export interface RoomOptions {
  readonly path?: string;
  readonly room: string;
  readonly token?: string;
}

export interface JoinOptions extends RoomOptions {
  readonly data: object;
  readonly resume?: { readonly memberId: string; readonly key: string };
}

/** A real socket in a room, which keeps the list of members as every client does. */
export class RoomClient {
  readonly raw: WebSocket;
  readonly frames: Loose[] = [];
  readonly members = new Map<string, Loose>();
  readonly closed: Promise<Closing>;
  hasClosed = false;
  #waiters: (() => void)[] = [];
  #updates = 0;

  private constructor(socket: WebSocket) {
    this.raw = socket;
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => {
      socket.on("close", (code, reason) => {
        this.hasClosed = true;
        resolve({ code, reason: reason.toString() });
        this.#wake();
      });
    });
    socket.on("message", (data) => {
      const text = String(data);
      if (!text.startsWith("{")) return;
      const frame = JSON.parse(text) as Loose;
      this.frames.push(frame);
      for (const member of frame.members ?? []) this.members.set(member.memberId, member);
      for (const member of frame.joined ?? []) this.members.set(member.memberId, member);
      for (const { memberId, data: said } of frame.updated ?? [])
        this.members.set(memberId, { ...this.members.get(memberId), data: said });
      for (const memberId of frame.left ?? []) this.members.delete(memberId);
      this.#wake();
    });
  }

  static async open(worker: TestWorker, { path = "rooms:open", room, token }: RoomOptions): Promise<RoomClient> {
    const query = new URLSearchParams({ path, room });
    const socket = new WebSocket(`${worker.origin.replace("http", "ws")}/_lunora/presence?${query}`, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
    const client = new RoomClient(socket);
    await new Promise((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    });
    return client;
  }

  static async join(worker: TestWorker, { data, resume, ...options }: JoinOptions): Promise<RoomClient> {
    const client = await RoomClient.open(worker, options);
    client.send({ type: "join", id: "join", data: encodeValue(data), ...(resume === undefined ? {} : { resume }) });
    await client.next((frame) => frame.type === "joined");
    return client;
  }

  get joined(): Loose {
    return this.frames.find((frame) => frame.type === "joined");
  }

  get memberId(): string {
    return this.joined.memberId;
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  send(frame: object | string): void {
    this.raw.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  /** Says something of itself; answers the frame's id. */
  update(data: object): string {
    const id = `update ${(this.#updates += 1)}`;
    this.send({ type: "update", id, data: encodeValue(data) });
    return id;
  }

  async next(passes: (frame: Loose) => boolean): Promise<Loose> {
    for (;;) {
      const found = this.frames.find(passes);
      if (found !== undefined) return found;
      await this.#news();
    }
  }

  async until(passes: (members: ReadonlyMap<string, Loose>) => boolean): Promise<void> {
    while (!passes(this.members)) await this.#news();
  }

  async #news(): Promise<void> {
    if (this.hasClosed) throw new Error(`the socket closed; frames: ${JSON.stringify(this.frames).slice(0, 2_000)}`);
    await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  close(): void {
    this.raw.close();
  }
}
