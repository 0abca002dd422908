// The Triplit server on SQLite with the pragmas that it sets itself. It is copied beside its packages'
// `node_modules` and run by the Node that its SQLite asks for.
import { once } from "node:events";
import process from "node:process";
import { serve } from "@hono/node-server";
import { createNodeWebSocket } from "@hono/node-ws";
import { SQLiteKVStore } from "@triplit/db/storage/sqlite";
import { createTriplitHonoServer } from "@triplit/server/hono";
import Database from "better-sqlite3";
import { Hono } from "hono";

const [, , port, file, secret] = process.argv;
const text = { type: "string" };
const fields = { id: text, channel: text, body: text, seq: { type: "number" } };

const routes = new Hono();
const { injectWebSocket, upgradeWebSocket } = createNodeWebSocket({ app: routes });
const app = await createTriplitHonoServer(
  {
    storage: new SQLiteKVStore(new Database(file)),
    jwtSecret: secret,
    projectId: "bench",
    dbOptions: {
      schema: { collections: { messages: { schema: { type: "record", properties: fields } } } },
    },
    // Its log would be most of its work.
    logHandler: { log() {}, startSpan() {}, endSpan() {}, recordMetric() {} },
  },
  upgradeWebSocket,
  (error) => console.error(error),
  routes,
);
const server = serve({ fetch: app.fetch, port: Number(port), hostname: "127.0.0.1" });
injectWebSocket(server);
await once(server, "listening");
