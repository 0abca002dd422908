// Pages of other sites in the developer's browser, and clients that claim to be somebody: neither gets anywhere.
import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestApp, call, until } from "../support/app.ts";
import { freePort } from "../support/free-port.mjs";

const files = {
  "package.json": `{ "name": "guarded", "private": true, "type": "module", "dependencies": { "lunorash": "*" } }`,
  "vite.config.ts": `import { lunora } from "lunorash/vite";
export default { plugins: [lunora({ port: Number(process.env.ENGINE_PORT) })] };
`,
  "index.html": "<!doctype html><title>Guarded</title>",
  "lunora/schema.ts": `import { defineSchema, defineTable, v } from "lunorash/server";
export const schema = defineSchema({
  notes: defineTable({ text: v.string() }),
  entries: defineTable({ room: v.string(), text: v.string() }).shardBy("room"),
});
`,
  "lunora/app.ts": `import { defineApp } from "lunorash/server";
export default defineApp({
  resolveIdentity: ({ token }) => (token === "right" ? { userId: "ada", role: "owner" } : null),
  authorizeShard: () => true,
});
`,
  "lunora/notes.ts": `import { action, internalMutation, mutation, query, v } from "./_generated/server";
import { internal } from "./_generated/api";
export const who = query.query(async ({ ctx }) => ctx.auth.getIdentity());
export const whoIn = query.input({ room: v.string() }).query(async ({ ctx }) => ctx.auth.getIdentity());
export const whoActs = action.action(async ({ ctx }) => ctx.auth.getIdentity());
export const add = mutation.input({ text: v.string() }).mutation(async ({ ctx, args }) => ctx.db.insert("notes", args));
export const hidden = internalMutation.input({ text: v.string() }).mutation(async ({ ctx, args }) => ctx.db.insert("notes", args));
export const list = query.query(async ({ ctx }) => ctx.db.query("notes").collect());
export const openly = action.input({ text: v.string() }).action(async ({ ctx, args }) => ctx.runMutation(internal.notes.hidden, args));
`,
};

let app: TestApp;
let url: string;
let engine: string;

beforeAll(async () => {
  app = TestApp.of("guard", files);
  ({ url, engine } = await start());
});

afterAll(async () => {
  await app.dispose();
});

async function start(): Promise<{ url: string; engine: string }> {
  const enginePort = await freePort();
  process.env["ENGINE_PORT"] = String(enginePort);
  const served = await app.dev();
  return { url: served.url, engine: `http://127.0.0.1:${enginePort}` };
}

interface Answer {
  status: number;
  body: string;
}

/** A request with headers as they are, which `fetch` would correct. */
function send(
  base: string,
  path: string,
  headers: Record<string, string | string[]>,
  { method = "GET", body = "", setHost = true } = {},
): Promise<Answer> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, path, method, headers, setHost, agent: false });
    request.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
    });
    request.on("upgrade", (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode ?? 101, body: "" });
    });
    request.on("error", reject);
    request.end(body);
  });
}

const rpc = (functionPath: string, args: unknown = {}): { method: string; body: string } => ({
  method: "POST",
  body: JSON.stringify({ functionPath, args }),
});
const json = { "content-type": "application/json" };
const upgrade = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

const foreignHosts = [
  "evil.test",
  "evil.test:80",
  "localhost.evil.test",
  "127.0.0.1.evil.test",
  "localhost:1",
  "evil.test#localhost",
  "localhost@evil.test",
  "xn--lcalhost-54a.test",
  "0x7f.1.evil.test",
  "[::1].evil.test",
];

describe("a foreign Host", () => {
  test.each(foreignHosts)("`%s` gets nothing from the engine's own port", async (host) => {
    for (const [path, options] of [
      ["/_lunora/status", undefined],
      ["/_lunora/rpc", rpc("notes:add", { text: `host ${host}` })],
    ] as const) {
      const answer = await send(engine, path, { ...json, host }, options);
      expect([400, 403]).toContain(answer.status);
      if (answer.status === 403) expect(JSON.parse(answer.body)).toMatchObject({ error: { code: "HOST_NOT_ALLOWED" } });
    }
    const socket = await send(engine, "/_lunora/ws", { ...upgrade, host });
    expect([400, 403]).toContain(socket.status);
  });

  test.each(["evil.test", "localhost.evil.test", "127.0.0.1.evil.test"])(
    "`%s` gets nothing through Vite's port",
    async (host) => {
      const answer = await send(url, "/_lunora/rpc", { ...json, host }, rpc("notes:add", { text: `host ${host}` }));
      expect(answer.status).toBe(403);
      expect((await send(url, "/_lunora/ws", { ...upgrade, host })).status).toBe(403);
    },
  );

  test("that is not there at all is no better", async () => {
    const answer = await send(engine, "/_lunora/rpc", json, {
      ...rpc("notes:add", { text: "no host" }),
      setHost: false,
    });
    expect([400, 403]).toContain(answer.status);
  });

  test("is the only thing that is wrong: the right one is answered", async () => {
    const { host } = new URL(engine);
    expect((await send(engine, "/_lunora/status", { host })).status).toBe(200);
    const { port } = new URL(engine);
    expect((await send(engine, "/_lunora/status", { host: `localhost:${port}` })).status).toBe(200);
  });
});

const foreignOrigins = [
  "http://evil.test",
  "https://evil.test",
  "http://localhost.evil.test",
  "http://127.0.0.1.evil.test",
  "null",
  "file://",
  "http://",
  "localhost",
  "chrome-extension://abcdefghijklmnop",
  "http://evil.test/http://localhost",
];

describe("a page of another site", () => {
  test.each(foreignOrigins)("`%s` opens no WebSocket and changes nothing, at either port", async (origin) => {
    for (const base of [url, engine]) {
      const { host } = new URL(base);
      const socket = await send(base, "/_lunora/ws", { ...upgrade, host, origin });
      expect(socket.status, base).toBe(403);
      // A form of any page can be posted anywhere; what it may do must not depend on who reads the answer.
      const posted = await send(base, "/_lunora/rpc", { ...json, host, origin }, rpc("notes:add", { text: origin }));
      expect(posted.status, base).toBe(403);
      expect(JSON.parse(posted.body)).toMatchObject({ error: { code: "ORIGIN_NOT_ALLOWED" } });
    }
  });

  test("is told from the app's own page", async () => {
    const { host } = new URL(url);
    const own = await send(url, "/_lunora/rpc", { ...json, host, origin: url }, rpc("notes:who"));
    expect(own.status, own.body).toBe(200);
    const socket = await send(url, "/_lunora/ws", { ...upgrade, host, origin: url });
    expect(socket.status).not.toBe(403);
  });
});

describe("claims in internal headers", () => {
  const claims = {
    "x-lunora-userid": "mallory",
    "X-Lunora-UserId": "mallory",
    "x-lunora-identity": JSON.stringify({ userId: "mallory", role: "owner" }),
    "x-lunora-internal": "1",
    "x-lunora-shard": "__root__",
    "x-lunora-trusted": "true",
  };
  const ask = [
    ["notes:who", {}],
    ["notes:whoIn", { room: "one" }],
    ["notes:whoActs", {}],
  ] as const;

  test.each(ask)("make nobody of nobody in %s", async (path, args) => {
    for (const base of [url, engine]) expect(await call(base, path, args, claims)).toBeNull();
  });

  test.each(ask)("make nobody else of somebody in %s", async (path, args) => {
    for (const base of [url, engine]) {
      expect(await call(base, path, args, { ...claims, authorization: "Bearer right" })).toEqual({
        userId: "ada",
        role: "owner",
      });
      expect(await call(base, path, args)).toBeNull();
    }
  });

  test("open no internal function", async () => {
    for (const base of [url, engine]) {
      await expect(call(base, "notes:hidden", { text: "hidden" }, claims)).rejects.toMatchObject({
        code: "FUNCTION_NOT_FOUND",
        status: 404,
      });
    }
    await call(url, "notes:openly", { text: "through an action" });
    const rows = (await call(url, "notes:list")) as { text: string }[];
    expect(rows.map(({ text }) => text)).toEqual(["through an action"]);
  });

  test("in a batch are no better", async () => {
    const response = await fetch(`${url}/_lunora/rpc-batch`, {
      method: "POST",
      headers: { ...json, ...claims },
      body: JSON.stringify({ calls: [{ functionPath: "notes:who", args: {} }] }),
    });
    const text = await response.text();
    expect(response.status, text).toBe(200);
    expect(text).not.toContain("mallory");
  });
});

test("a page that posts a form without JSON is not heard", async () => {
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]) {
    const { host } = new URL(url);
    const before = (await call(url, "notes:list")) as unknown[];
    const answer = await send(url, "/_lunora/rpc", { "content-type": type, host }, rpc("notes:add", { text: "form" }));
    expect(answer.status, type).toBe(415);
    expect(await call(url, "notes:list")).toHaveLength(before.length);
  }
  await until("it still answers", () => call(url, "notes:list"));
});
