// PartyServer doing what the raw object does, with its own broadcast.
import { routePartykitRequest, Server } from "partyserver";
import { pokeText } from "./poke-text.mjs";

export class Room extends Server {
  static options = { hibernate: true };
  #next = 0;

  onStart() {
    this.ctx.storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS messages(id TEXT PRIMARY KEY, channel TEXT, body TEXT, at REAL); CREATE INDEX IF NOT EXISTS by_channel ON messages(channel, at, id)",
    );
  }

  onMessage(connection, text) {
    const message = JSON.parse(text);
    if (message.subscribe !== undefined) {
      connection.setState({ channel: message.subscribe });
      connection.send('{"subscribed":true}');
      return;
    }
    this.#next += 1;
    const row = { id: crypto.randomUUID(), channel: message.channel, body: message.body, at: Date.now() };
    this.ctx.storage.sql.exec("INSERT INTO messages VALUES (?, ?, ?, ?)", row.id, row.channel, row.body, row.at);
    connection.send(`{"id":${message.id}}`);
    // Only the writer is left out: every other connection of these rows watches.
    this.broadcast(pokeText(row, this.#next), [connection.id]);
  }
}

export default {
  fetch: async (request, env) =>
    (await routePartykitRequest(request, env)) ?? new Response("Not found", { status: 404 }),
};
