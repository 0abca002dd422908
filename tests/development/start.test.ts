// `lunora start`: a production build on this machine, its data, its end, and what keeps it from starting.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Program } from "../support/app.ts";
import { TestApp, call, until, workerdsBelow } from "../support/app.ts";
import { freePort } from "../support/free-port.mjs";

interface Note {
  text: string;
}

let app: TestApp;
let port: number;
let url: string;

beforeAll(async () => {
  port = await freePort();
  url = `http://127.0.0.1:${port}`;
});

beforeEach(async () => {
  app = TestApp.copyOf("minimal");
  await build();
});

afterEach(async () => {
  await app.dispose();
});

async function build(): Promise<void> {
  const program = app.run("vite", ["build"]);
  expect(await program.ended(), program.output).toBe(0);
}

function begin(commandArguments: string[] = [], environment: Record<string, string> = {}): Program {
  return app.run("lunora", ["start", "--port", String(port), ...commandArguments], environment);
}

async function start(commandArguments: string[] = [], environment: Record<string, string> = {}): Promise<Program> {
  const server = begin(commandArguments, environment);
  await until(`it serves: ${server.output}`, async () => {
    server.assertRuns();
    return (await fetch(`${url}/_lunora/health/ready`)).ok;
  });
  return server;
}

const texts = async (): Promise<string[]> => ((await call(url, "notes:list")) as Note[]).map(({ text }) => text).sort();
const add = (text: string): Promise<unknown> => call(url, "notes:add", { text });

/** Every file of data below a folder. */
function databases(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".sqlite"));
}

describe("lunora start", () => {
  test("serves, stops, and serves the same data again; also after SIGKILL", async () => {
    const first = await start();
    expect(first.output).toContain(`serves ${url}/`);
    expect((await fetch(`${url}/_lunora/health`)).status).toBe(200);
    const page = await fetch(url);
    expect(page.headers.get("content-type")).toContain("text/html");
    expect(await page.text()).toContain("<script");
    await add("one");
    expect(await first.stop("SIGTERM")).toBe(0);
    expect(workerdsBelow(app.folder)).toEqual([]);

    const second = await start();
    expect(await texts()).toEqual(["one"]);
    await add("two");
    expect(await second.stop("SIGKILL")).toBe("SIGKILL");
    await until("workerd has gone with it", () => workerdsBelow(app.folder).length === 0);

    await start();
    expect(await texts()).toEqual(["one", "two"]);
    // Development has its own.
    expect(databases(app.path(".lunora/production")).length).toBeGreaterThan(0);
    expect(existsSync(app.path(".lunora/state"))).toBe(false);
  });

  test("needs no source, and says when there is no build", async () => {
    app.write("lunora/schema.ts", "this does not parse");
    await start();
    await add("from the build");
    expect(await texts()).toEqual(["from the build"]);
    app.remove("dist/worker/lunora.json");
    const none = begin(["--state", "other"]);
    expect(await none.ended()).toBe(1);
    expect(none.output).toMatch(/BUILD_MISSING[\s\S]*npx vite build/);
  });

  test("answers what is under way before it ends, and takes nothing new", async () => {
    app.write(
      "lunora/slow.ts",
      `import { api } from "./_generated/api";
import { action } from "./_generated/server";
export const wait = action.action(async ({ ctx }) => {
  await ctx.runMutation(api.notes.add, { text: "under way" });
  await new Promise((resolve) => setTimeout(resolve, 1500));
  return "answered";
});
`,
    );
    await build();
    const server = await start();
    const answer = fetch(`${url}/_lunora/rpc`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ functionPath: "slow:wait", args: {} }),
    });
    await until("the request is under way", async () => (await texts()).length === 1);
    server.child.kill("SIGTERM");
    await until("it takes no connection", async () => {
      const refused = await new Promise<boolean>((resolve) => {
        const socket = connect(port, "127.0.0.1");
        socket.once("connect", () => (socket.destroy(), resolve(false)));
        socket.once("error", () => resolve(true));
      });
      return refused;
    });
    expect(await (await answer).json()).toMatchObject({ result: "answered" });
    expect(await server.ended()).toBe(0);
  });

  test("an open socket does not keep it from ending, and is closed as going away", async () => {
    const server = await start();
    const socket = connect(port, "127.0.0.1");
    let received = Buffer.alloc(0);
    socket.on("data", (chunk) => (received = Buffer.concat([received, chunk])));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.write(
      `GET /_lunora/ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    );
    await until("it is upgraded", () => received.toString("latin1").startsWith("HTTP/1.1 101"));
    expect(await server.stop("SIGTERM")).toBe(0);
    await closed;
    // The last frame is a close with the code 1001.
    const code = received.lastIndexOf(Buffer.from([1001 >> 8, 1001 & 255]));
    expect(received[code - 2]).toBe(0x88);
  });

  test("only one at a time has the data", async () => {
    await start();
    const other = app.run("lunora", ["start", "--port", String(await freePort())]);
    expect(await other.ended()).toBe(1);
    expect(other.output).toMatch(/STATE_LOCKED[\s\S]*lunora start/);
    const taken = begin(["--state", "another"]);
    expect(await taken.ended()).toBe(1);
    expect(taken.output).toContain("PORT_TAKEN");
  });

  test("stops at data that does not survive the build's schema", async () => {
    const first = await start();
    await add("kept");
    await first.stop("SIGTERM");
    app.edit("lunora/schema.ts", "text: v.string()", "text: v.string(), rank: v.number()");
    app.edit("lunora/notes.ts", "{ text: args.text", "{ rank: 1, text: args.text");
    await build();
    const stopped = begin();
    expect(await stopped.ended(), stopped.output).toBe(3);
    expect(stopped.output).toMatch(/SCHEMA_DRIFT[\s\S]*`notes\.rank` is new and may not be left out/);
    await (await start(["--allow-schema-drift"])).stop("SIGTERM");
    // What was allowed once is what the data was written with from then on.
    await start();
    expect(await texts()).toEqual(["kept"]);
  });

  test("data of another region stays there, and is there again", async () => {
    const first = await start();
    await add("nowhere in particular");
    await first.stop("SIGTERM");
    app.edit("lunora/schema.ts", "});\n", '}).jurisdiction("eu");\n');
    await build();
    const stopped = begin(["--allow-schema-drift"]);
    expect(await stopped.ended(), stopped.output).toBe(3);
    expect(stopped.output).toMatch(/JURISDICTION_STRANDS_DATA[\s\S]*lunora export/);
    const moved = await start(["--allow-schema-drift", "--strand-data"]);
    expect(await texts()).toEqual([]);
    await add("in the union");
    await moved.stop("SIGTERM");
    expect(databases(app.path(".lunora/production/eu")).length).toBeGreaterThan(0);

    app.edit("lunora/schema.ts", '}).jurisdiction("eu");\n', "});\n");
    await build();
    await start(["--allow-schema-drift", "--strand-data"]);
    expect(await texts()).toEqual(["nowhere in particular"]);
  });

  test("hands over secrets of `.env` and of the environment, and nothing of development", async () => {
    app.write(
      "lunora/app.ts",
      `import { defineApp } from "lunorash/server";
export default defineApp({ fetch: async (_request, env) => Response.json(Object.fromEntries(Object.entries(env).filter(([, value]) => typeof value === "string"))) });
`,
    );
    app.write(".dev.vars", "DEVELOPMENT=1\n");
    app.write(".env", "FIRST=file\nSECOND=file\n");
    await build();
    const missing = begin(["--secrets", "THIRD"]);
    expect(await missing.ended()).toBe(1);
    expect(missing.output).toMatch(/ENVIRONMENT_VARIABLE_MISSING[\s\S]*`THIRD`/);
    await start(["--secrets", "THIRD"], { SECOND: "environment", THIRD: "named", FOURTH: "no", LUNORA_REGION: "eu" });
    const env = (await (await fetch(`${url}/env`)).json()) as Record<string, string>;
    expect(env).toMatchObject({ FIRST: "file", SECOND: "environment", THIRD: "named", LUNORA_REGION: "eu" });
    for (const name of ["DEVELOPMENT", "FOURTH", "PATH", "HOME"]) expect(Object.keys(env)).not.toContain(name);
    // A secret is in no file that the server wrote.
    expect(readFileSync(join(app.folder, ".lunora", "production", "schema.json"), "utf8")).not.toContain("named");
  });

  test("listens on loopback until another address is stated", async () => {
    const inside = await start();
    const rebound = await new Promise<string>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("data", (data) => (socket.destroy(), resolve(data.toString())));
      socket.write("GET /_lunora/health HTTP/1.1\r\nHost: app.example.com\r\n\r\n");
    });
    expect(rebound).toMatch(/^HTTP\/1\.1 403/);
    await inside.stop("SIGTERM");
    await start(["--host", "0.0.0.0"]);
    const reached = await new Promise<string>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("data", (data) => (socket.destroy(), resolve(data.toString())));
      socket.write("GET /_lunora/health HTTP/1.1\r\nHost: app.example.com\r\n\r\n");
    });
    expect(reached).toMatch(/^HTTP\/1\.1 200/);
  });
});
