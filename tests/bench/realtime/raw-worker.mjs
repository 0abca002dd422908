// The floor: a Durable Object that does the same with nothing around it. No validators, no identities,
// no op-log, no watermark, no query of its own for a subscriber.
import { DurableObject } from "cloudflare:workers";
import { pokeText } from "./poke-text.mjs";
import { rawAccounts } from "./seed.mjs";

class Raw extends DurableObject {
  #next = 0;

  constructor(context, env) {
    super(context, env);
    this.ctx.storage.sql
      .exec(`CREATE TABLE IF NOT EXISTS messages(id TEXT PRIMARY KEY, channel TEXT, body TEXT, at REAL);
      CREATE INDEX IF NOT EXISTS by_channel ON messages(channel, at, id);
      CREATE TABLE IF NOT EXISTS accounts(id TEXT PRIMARY KEY, balance REAL)`);
  }

  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/bench/seed") {
      const { count } = await request.json();
      this.ctx.storage.sql.exec(rawAccounts(count));
      return Response.json(count);
    }
    if (pathname === "/bench/total") {
      return Response.json(this.ctx.storage.sql.exec("SELECT sum(balance) AS total FROM accounts").one().total);
    }
    if (request.headers.get("upgrade") !== "websocket") return new Response("Only WebSocket", { status: 426 });
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Answers what needs no write; `undefined` when it does. */
  subscribed(socket, message) {
    if (message.subscribe === undefined) return false;
    socket.serializeAttachment(message.subscribe);
    socket.send('{"subscribed":true}');
    return true;
  }

  /** The write, and the row that subscribers get. */
  apply(message) {
    const { sql } = this.ctx.storage;
    if (message.body !== undefined) {
      this.#next += 1;
      const row = { id: crypto.randomUUID(), channel: message.channel, body: message.body, at: Date.now() };
      sql.exec("INSERT INTO messages VALUES (?, ?, ?, ?)", row.id, row.channel, row.body, row.at);
      return row;
    }
    const read = (id) => sql.exec("SELECT balance FROM accounts WHERE id = ?", id).one().balance;
    const write = (id, balance) => sql.exec("UPDATE accounts SET balance = ? WHERE id = ?", balance, id);
    const from = read(message.from);
    const to = read(message.to);
    write(message.from, from - message.amount);
    write(message.to, to + message.amount);
    return undefined;
  }

  broadcast(row) {
    if (row === undefined) return;
    let text;
    for (const socket of this.ctx.getWebSockets()) {
      if (socket.deserializeAttachment() !== row.channel) continue;
      text ??= pokeText(row, this.#next);
      socket.send(text);
    }
  }

  acknowledge(socket, { id }) {
    socket.send(`{"id":${id}}`);
  }
}

/** One durable write a message. */
export class Naive extends Raw {
  async webSocketMessage(socket, text) {
    const message = JSON.parse(text);
    if (this.subscribed(socket, message)) return;
    const row = this.apply(message);
    this.acknowledge(socket, message);
    this.broadcast(row);
  }
}

/** What arrives while a write is made durable shares the next one. */
export class Grouped extends Raw {
  #queue = [];
  #isWriting = false;

  async webSocketMessage(socket, text) {
    const message = JSON.parse(text);
    if (this.subscribed(socket, message)) return;
    this.#queue.push({ socket, message });
    if (!this.#isWriting) await this.#write();
  }

  async #write() {
    this.#isWriting = true;
    while (this.#queue.length > 0) {
      const group = this.#queue;
      this.#queue = [];
      for (const { socket, message } of group) {
        const row = this.apply(message);
        this.acknowledge(socket, message);
        this.broadcast(row);
      }
      await this.ctx.storage.sync();
    }
    this.#isWriting = false;
  }
}

export default {
  fetch: (request, env) => env.RAW.getByName("raw").fetch(request),
};
