// What happens in a real app, as its inspector tells it; and who is told nothing.
import { existsSync, readFileSync, statSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { TestApp, call, until } from "../support/app.ts";
import { freePort } from "../support/free-port.mjs";

const files = {
  "package.json": `{ "name": "inspected", "private": true, "type": "module", "dependencies": { "lunorash": "*" } }`,
  "vite.config.ts": `import { lunora } from "lunorash/vite";\nexport default { plugins: [lunora()] };\n`,
  "index.html": "<!doctype html><title>Inspected</title>",
  "lunora/schema.ts": `import { defineSchema, defineTable, v } from "lunorash/server";
export const schema = defineSchema({
  notes: defineTable({ text: v.string() }),
  entries: defineTable({ room: v.string(), text: v.string() }).shardBy("room"),
});
`,
  "lunora/app.ts": `import { defineApp } from "lunorash/server";
export default defineApp({ authorizeShard: () => true });
`,
  "lunora/notes.ts": `import { mutation, query, v } from "./_generated/server";
export const add = mutation.input({ text: v.string() }).mutation(async ({ ctx, args }) => {
  console.info("adding", args.text);
  return ctx.db.insert("notes", args);
});
export const list = query.query(async ({ ctx }) => ctx.db.query("notes").collect());
`,
};

interface Entry {
  origin: string;
  token: string;
  pid: number;
}

interface Event {
  n: number;
  type: string;
  [field: string]: unknown;
}

let app: TestApp;
let url: string;
let entry: Entry;
let output: () => string;

beforeAll(async () => {
  app = TestApp.of("inspected", files);
  const served = await app.dev();
  url = served.url;
  output = () => served.vite.output;
  entry = JSON.parse(readFileSync(app.path(".lunora/inspector.json"), "utf8")) as Entry;
});

afterAll(async () => {
  await app.dispose();
});

async function ask<Answer>(path: string, init: RequestInit = {}): Promise<{ status: number; body: Answer }> {
  const response = await fetch(`${entry.origin}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${entry.token}`, ...init.headers },
  });
  return { status: response.status, body: (await response.json()) as Answer };
}

function operation<Value>(name: string, argument: unknown): Promise<{ status: number; body: { value: Value } }> {
  const headers = { "content-type": "application/json" };
  return ask(`/api/inspect/${name}`, { method: "POST", headers, body: JSON.stringify(argument) });
}

const events = async (query: string): Promise<Event[]> =>
  (await ask<{ events: Event[] }>(`/api/events?${query}`)).body.events;

test("a mutation is followed from the request to the rows it changed, and back", async () => {
  await call(url, "notes:add", { text: "first" });
  const commit = await until("the commit is told", async () => (await events("type=commit&object=__root__"))[0]);
  const [change] = commit["changes"] as { seq: number; table: string; after: string }[];
  expect(change).toMatchObject({ table: "notes" });
  expect(change?.after).toContain("first");
  const trace = await until("the request is told", async () => {
    const { body } = await ask<Record<string, Event | Event[] | null>>(`/api/trace?object=__root__&seq=${change?.seq}`);
    return body["request"] === null ? undefined : body;
  });
  expect(trace).toMatchObject({
    request: { path: "/_lunora/rpc", status: 200 },
    call: { functionPath: "notes:add", kind: "mutation", outcome: "ok" },
    commit: { n: commit.n },
  });
  expect(trace["ops"]).toMatchObject([{ table: "notes", op: "insert" }]);
  const id = (trace["call"] as Event)["call"] as string;
  expect((await ask(`/api/trace?call=${id}`)).body).toEqual(trace);
});

test("a line of the console stands in the timeline once, with the call that wrote it", async () => {
  await call(url, "notes:add", { text: "logged-once" });
  const find = (): Promise<Event[]> => events("type=log&search=logged-once");
  await until("the line is told", async () => (await find()).length > 0);
  // What workerd printed waits for the tap before it is taken for a line of its own.
  const { body } = await ask<{ uptimeMs: number }>("/api/status");
  await until("its time is over", async () => {
    const { body: later } = await ask<{ uptimeMs: number }>("/api/status");
    return later.uptimeMs > body.uptimeMs + 4_000;
  });
  const lines = await find();
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ level: "info", functionPath: "notes:add", object: "__root__" });
});

test("the feed carries what happens while it is open", async () => {
  const socket = new WebSocket(`${entry.origin.replace("http", "ws")}/api/feed`, [
    "lunora.inspector",
    `token.${entry.token}`,
  ]);
  const heard: Event[] = [];
  socket.addEventListener("message", ({ data }) => {
    heard.push(...((JSON.parse(String(data)) as { events?: Event[] }).events ?? []));
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", reject);
  });
  const { body } = await ask<{ timeline: { next: number } }>("/api/status");
  socket.send(JSON.stringify({ after: body.timeline.next - 1, types: ["commit"] }));
  await call(url, "notes:add", { text: "fed" });
  await until("the commit is heard", () => heard.some(({ changes }) => JSON.stringify(changes).includes("fed")));
  expect(new Set(heard.map(({ type }) => type))).toEqual(new Set(["commit"]));
  socket.close();
});

test("the app is described, and its worker's admin routes answer although no token was configured", async () => {
  const { body: described } = await ask<{
    tables: { name: string; tier: string; shardBy: string | null }[];
    functions: { path: string; line: number }[];
  }>("/api/app");
  expect(described.tables).toMatchObject([
    { name: "notes", tier: "root", shardBy: null },
    { name: "entries", tier: "shardBy", shardBy: "room" },
  ]);
  expect(described.functions.map(({ path, line }) => [path, line])).toEqual([
    ["notes:add", 2],
    ["notes:list", 6],
  ]);
  const rows = await operation<{ rows: { text: string }[] }>("rows", { object: "__root__", table: "notes" });
  expect(rows.status).toBe(200);
  expect(JSON.stringify(rows.body.value.rows)).toContain("first");
  const shards = await ask<{ shards: { name: string; activity: { lastWriteAt: number } | null }[] }>("/api/shards");
  const root = shards.body.shards.find(({ name }) => name === "__root__");
  expect(root?.activity?.lastWriteAt).toBeGreaterThan(0);
  const residency = await ask<{
    jurisdiction: null;
    servers: { url: string }[];
    tables: { table: string; stored: { rows: number; objects: number; reachable: boolean }[] }[];
  }>("/api/residency");
  expect(residency.body.tables.map(({ table, stored }) => [table, stored.length])).toEqual([
    ["notes", 1],
    ["entries", 0],
  ]);
  expect(residency.body.tables[0]?.stored[0]).toMatchObject({ server: "development", objects: 1, reachable: true });
  expect(residency.body.tables[0]?.stored[0]?.rows).toBeGreaterThan(0);
  expect((await operation("policies", {})).body.value).toEqual({ policies: [], unread: [] });
  expect(residency.body).toMatchObject({ jurisdiction: null, servers: [{ crossings: [] }] });
  // The token of the admin routes is not the inspector's, and neither opens the other.
  const admin = await fetch(`${url}/_lunora/admin/info`, { headers: { authorization: `Bearer ${entry.token}` } });
  expect(admin.status).toBe(401);
});

test("it stays through reloads of the worker", async () => {
  const before = (await ask<{ generation: number }>("/api/status")).body;
  app.edit("lunora/notes.ts", '"adding"', '"putting"');
  await until("the new worker serves", async () => {
    const { body } = await ask<{ generation: number; worker: string }>("/api/status");
    return body.generation > before.generation && body.worker === "serving";
  });
  await call(url, "notes:add", { text: "after-reload" });
  await until("the commit is told", async () => (await events("type=commit&search=after-reload")).length > 0);
  expect((await events("type=commit&search=first")).length).toBeGreaterThan(0);
});

test("its address is printed and led to without the token, which is in no other file or line", async () => {
  expect(output()).toContain(`Lunora:  ${entry.origin}/#token=${entry.token}`);
  expect(statSync(app.path(".lunora/inspector.json")).mode & 0o777).toBe(0o600);
  const led = await fetch(`${url}/__lunora/`, { redirect: "manual" });
  expect([led.status, led.headers.get("location")]).toEqual([302, `${entry.origin}/`]);
});

test("whoever has no token, another name or another origin is told nothing", async () => {
  const { hostname, port } = new URL(entry.origin);
  const status = (headers: Record<string, string>): Promise<number> =>
    new Promise((resolve, reject) => {
      const asked = httpRequest({ hostname, port, path: "/api/status", headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      });
      asked.on("error", reject);
      asked.end();
    });
  const authorization = `Bearer ${entry.token}`;
  expect(await status({ authorization })).toBe(200);
  expect(await status({})).toBe(401);
  expect(await status({ authorization: `${authorization}x` })).toBe(401);
  expect(await status({ authorization, host: `localhost:${port}` })).toBe(403);
  expect(await status({ authorization, host: `evil.test:${port}` })).toBe(403);
  expect(await status({ authorization, origin: new URL(url).origin })).toBe(403);
  expect(await status({ authorization, "sec-fetch-site": "same-site" })).toBe(403);
});

test("it can be turned off, and given a port", async () => {
  const config = (option: string): string =>
    `import { lunora } from "lunorash/vite";\nexport default { plugins: [lunora({ inspector: ${option} })] };\n`;
  const off = TestApp.of("inspected-off", { ...files, "vite.config.ts": config("false") });
  const without = await off.dev();
  expect(existsSync(off.path(".lunora/inspector.json"))).toBe(false);
  expect(without.vite.output).not.toContain("#token=");
  expect((await fetch(`${without.url}/__lunora/`, { redirect: "manual" })).status).toBe(503);
  // Nobody asks its admin routes, so that there are none.
  expect((await fetch(`${without.url}/_lunora/admin/info`)).status).toBe(404);
  await off.dispose();
  const port = await freePort();
  const stated = TestApp.of("inspected-port", { ...files, "vite.config.ts": config(`{ port: ${port} }`) });
  await stated.dev();
  const { origin } = JSON.parse(readFileSync(stated.path(".lunora/inspector.json"), "utf8")) as Entry;
  expect(origin).toBe(`http://127.0.0.1:${port}`);
  await stated.dispose();
});

test("nothing of it is left when the dev server ends", async () => {
  const other = TestApp.of("inspected-end", files);
  const { vite } = await other.dev();
  expect(existsSync(other.path(".lunora/inspector.json"))).toBe(true);
  await vite.stop("SIGTERM");
  expect(existsSync(other.path(".lunora/inspector.json"))).toBe(false);
  await other.dispose();
});
