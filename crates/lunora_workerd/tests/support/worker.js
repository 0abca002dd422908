import { DurableObject } from "cloudflare:workers";

const version = "__VERSION__";

export class Shard extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS rows(id INTEGER PRIMARY KEY AUTOINCREMENT, value TEXT NOT NULL)");
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS done(id TEXT PRIMARY KEY, result INTEGER NOT NULL)");
  }
  async fetch(request) {
    const url = new URL(request.url);
    const sql = this.ctx.storage.sql;
    if (url.pathname === "/rows") return Response.json(sql.exec("SELECT value FROM rows ORDER BY id").toArray().map((row) => row.value));
    if (url.pathname === "/ws") {
      const pair = new WebSocketPair();
      this.ctx.acceptWebSocket(pair[1]);
      return new Response(null, { status: 101, webSocket: pair[0] });
    }
    const value = await request.text();
    const id = request.headers.get("x-lunora-mutation-id");
    const result = this.ctx.storage.transactionSync(() => {
      if (id !== null) {
        const before = sql.exec("SELECT result FROM done WHERE id = ?", id).toArray();
        if (before.length > 0) return before[0].result;
      }
      const row = sql.exec("INSERT INTO rows(value) VALUES (?) RETURNING id", value).one().id;
      if (id !== null) sql.exec("INSERT INTO done VALUES (?, ?)", id, row);
      return row;
    });
    return Response.json({ result });
  }
  webSocketMessage(socket, message) {
    socket.send(`${version}:${message}`);
  }
}

export default {
  async fetch(request, env, ctx) {
    const url = new URL(request.url);
    const shard = env.SHARD.getByName("root");
    const headers = (name) => {
      const value = request.headers.get(name);
      return value === null ? {} : { [name]: value };
    };
    const add = (value) => shard.fetch("http://shard/add", { method: "POST", body: value, headers: headers("x-lunora-mutation-id") });
    switch (url.pathname) {
      case "/version": return new Response(version);
      case "/env": return Response.json({ ...env, SHARD: undefined });
      case "/rows": return shard.fetch("http://shard/rows");
      case "/add": return add(await request.text());
      case "/ws": return shard.fetch(new Request("http://shard/ws", request));
      case "/_lunora/rpc": return add((await request.json()).args.value);
      case "/slow": await scheduler.wait(Number(url.searchParams.get("ms"))); return new Response(version);
      case "/slow-add": { const answer = await add(await request.text()); await scheduler.wait(Number(url.searchParams.get("ms"))); return answer; }
      case "/echo": return new Response(request.body, { headers: headers("content-type") });
      case "/headers": return Response.json([...request.headers], { headers: { "X-Mixed-Case": "kept", "x-two": "1" } });
      case "/log":
        console.log("hello", { a: 1 });
        console.warn("careful");
        console.error(new Error("logged"));
        return new Response("ok");
      case "/flood": for (let i = 0; i < 4000; i++) console.log("x".repeat(500)); return new Response("ok");
      case "/boom": (await import("./lazy.js")).boom(); break;
      case "/stream": {
        const { readable, writable } = new TransformStream();
        const writer = writable.getWriter();
        ctx.waitUntil((async () => {
          for (let i = 0; i < 5; i++) {
            await writer.write(new TextEncoder().encode(`part ${i}\n`));
            await scheduler.wait(20);
          }
          await writer.close();
        })());
        return new Response(readable, { headers: { "content-type": "text/event-stream" } });
      }
    }
    return new Response("not found", { status: 404 });
  },
};
