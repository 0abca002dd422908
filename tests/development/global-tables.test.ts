// D1 on this machine: in `vite dev`, `lunora dev` and `lunora start`, for global tables and for bindings of the app's own.
import { existsSync, readdirSync } from "node:fs";
import { LunoraClient } from "lunorash/client";
import { shapes } from "lunorash/client/shapes";
import { shapeReference } from "lunorash/protocol";
import type { ShapeReference } from "lunorash/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { Program } from "../support/app.ts";
import { TestApp, call, until } from "../support/app.ts";
import { freePort } from "../support/free-port.mjs";

/** An action that runs SQL in a database of the app's. */
const SQL = `import { env } from "cloudflare:workers";
import { action, v } from "./_generated/server";
export const run = action
  .input({ binding: v.string(), text: v.string(), parameters: v.array(v.string()) })
  .action(async ({ args: { binding, text, parameters } }) => {
    try {
      return { results: (await env[binding].prepare(text).bind(...parameters).all()).results };
    } catch (error) {
      return { error: String(error) };
    }
  });
`;

const COUNTRIES = `import { mutation, query, v } from "./_generated/server";
export const add = mutation
  .input({ name: v.string() })
  .mutation(({ ctx, args }) => ctx.db.insert("countries", { name: args.name }));
export const list = query.query(({ ctx }) => ctx.db.countries.findMany());
`;

const SHAPES = `import { shape } from "./_generated/server";
export const countries = shape({ table: "countries" });
export const notes = shape({ table: "notes" });
`;

interface Answer {
  readonly results?: unknown[];
  readonly error?: string;
}

let app: TestApp;

beforeEach(() => {
  app = TestApp.copyOf("minimal");
  app.write("lunora/sql.ts", SQL);
});

afterEach(async () => {
  await app.dispose();
});

function haveGlobalTable(): void {
  app.edit("lunora/schema.ts", "});\n", "  countries: defineTable({ name: v.string() }).global(),\n});\n");
  app.write("lunora/countries.ts", COUNTRIES);
  app.write("lunora/shapes.ts", SHAPES);
}

function bind(...databases: object[]): void {
  app.edit("wrangler.jsonc", '"migrations"', `"d1_databases": ${JSON.stringify(databases)},\n  "migrations"`);
}

async function sql(url: string, binding: string, text: string, ...parameters: string[]): Promise<unknown[]> {
  const { results, error } = (await call(url, "sql:run", { binding, text, parameters })) as Answer;
  if (results === undefined) throw new Error(error);
  return results;
}

/** Writes a row that names its database, into each of them. */
async function fill(url: string, bindings: readonly string[]): Promise<void> {
  for (const binding of bindings) {
    await sql(url, binding, "CREATE TABLE IF NOT EXISTS own(name TEXT)");
    await sql(url, binding, "INSERT INTO own VALUES(?)", binding);
  }
}

const names = async (url: string, binding: string): Promise<unknown[]> =>
  (await sql(url, binding, "SELECT name FROM own")).map((row) => (row as { name: string }).name);

const files = (state: string): string[] =>
  readdirSync(app.path(`${state}/d1`)).filter((name) => name.endsWith(".sqlite"));

interface Report {
  readonly tables: readonly { table: string; stored: object[] }[];
  readonly databases: readonly { server: string; database: string; tables: object }[];
}

async function residency(): Promise<Report> {
  const program = app.run("lunora", ["residency", "--json"]);
  expect(await program.ended(), program.output).toBe(0);
  return JSON.parse(program.output) as Report;
}

async function start(port: number): Promise<Program> {
  const server = app.run("lunora", ["start", "--port", String(port)]);
  await until(`it serves: ${server.output}`, async () => {
    server.assertRuns();
    return (await fetch(`http://127.0.0.1:${port}/_lunora/health/ready`)).ok;
  });
  return server;
}

describe("D1 in development", () => {
  test("every binding has a database of its own, which outlives reloads and the server", async () => {
    const id = "9f4e1c2a-0b5d-4e6f-8a7b-1c2d3e4f5a6b";
    bind(
      { binding: "DB_EU", database_name: "app-eu", database_id: "yet-to-come" },
      { binding: "DB_US", database_name: "app-us" },
      { binding: "LEGACY", database_name: "legacy", database_id: id },
      { binding: "LEGACY_TOO", database_name: "legacy", database_id: id },
    );
    haveGlobalTable();
    const databases = ["DB", "DB_EU", "DB_US", "LEGACY"];
    const { url, vite } = await app.dev();
    await fill(url, databases);
    expect(await names(url, "LEGACY_TOO")).toEqual(["LEGACY"]);
    await expect(sql(url, "DB", "SELECT * FROM nowhere")).rejects.toThrow(/no such table: nowhere/);

    app.edit("lunora/sql.ts", "return { error: String(error) };", "return { error: 'Refused: ' + error };");
    await until("the new code answers", () =>
      sql(url, "DB", "SELECT * FROM nowhere").catch((error: unknown) => String(error).includes("Refused")),
    );
    expect(await names(url, "DB")).toEqual(["DB"]);
    await vite.stop("SIGTERM");
    expect(files(".lunora/state").sort()).toEqual(databases.map((name) => `${name}.sqlite`));

    const again = await app.dev();
    for (const database of databases) expect(await names(again.url, database)).toEqual([database]);
    const stored = await residency();
    expect(stored.databases).toMatchObject(
      databases.map((database) => ({ server: "development", database, tables: { own: 1 } })),
    );
    const text = app.run("lunora", ["residency"]);
    await text.ended();
    expect(text.output).toMatch(/databases of D1[\s\S]*LEGACY {2}.* in \.lunora\/state\/d1\/LEGACY\.sqlite/);
    // Whoever writes is killed in the middle: what was acknowledged is there.
    await sql(again.url, "DB", "INSERT INTO own VALUES(?)", "last words");
    await again.vite.stop("SIGKILL");
    const third = await app.dev();
    expect(await names(third.url, "DB")).toEqual(["DB", "last words"]);
  });

  test("a table that becomes global gets a database without a restart; an app without one has no D1", async () => {
    const { url } = await app.dev();
    await expect(sql(url, "DB", "SELECT 1")).rejects.toThrow(/undefined/);
    expect(existsSync(app.path(".lunora/state/d1"))).toBe(false);
    haveGlobalTable();
    await until("the database is there", async () => (await sql(url, "DB", "SELECT 1 AS one")).length === 1);
    expect(app.read("lunora/_generated/worker.ts")).toMatch(/globals[^\n]* from "lunorash\/do"/);
    const api = app.read("lunora/_generated/api.ts");
    expect(api).toContain('countries: shapeReference("countries", "countries", { kind: "root" }, "poll")');
    expect(api).toContain('notes: shapeReference("notes", "notes", { kind: "root" })');
    // Nothing of the developer's is touched by development.
    expect(app.read("wrangler.jsonc")).not.toContain("d1_databases");
  });

  test("`lunora dev` has it too, rows of global tables are in it, and subscribers are told of them", async () => {
    haveGlobalTable();
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const server = app.run("lunora", ["dev", "--port", String(port)]);
    await until(`it serves: ${server.output}`, async () => {
      server.assertRuns();
      return (await fetch(`${url}/_lunora/health/ready`)).ok;
    });
    await call(url, "countries:add", { name: "Norway" });
    expect(await call(url, "countries:list")).toMatchObject([{ name: "Norway" }]);
    expect(await sql(url, "DB", "SELECT count(*) AS rows FROM countries")).toEqual([{ rows: 1 }]);

    const client = new LunoraClient({ url, shapes, environment: { WebSocket: WebSocket as never } });
    const countries = client.shape<ShapeReference<{}, { name: string }, "poll">>(
      shapeReference("countries", "countries", { kind: "root" }, "poll"),
    );
    const stop = countries.subscribe(() => {});
    const shown = (): string[] => [...countries.getSnapshot().rows.values()].map(({ name }) => name).sort();
    await until("what was there is shown", () => shown().length === 1);
    await call(url, "countries:add", { name: "Iceland" });
    await until("what came is shown", () => shown().length === 2);
    expect(shown()).toEqual(["Iceland", "Norway"]);
    const stored = await residency();
    expect(stored.databases).toMatchObject([{ database: "DB", tables: { countries: 2 } }]);
    // What the object keeps for those who look on is a copy, and said to be one.
    expect(stored.tables.find(({ table }) => table === "countries")).toMatchObject({
      tier: "global",
      heldBy: "D1",
      stored: [{ rows: 2, objects: 1, isCopy: true, reachable: true }],
    });
    stop();
    client.close();
  });
});

describe("D1 of a build", () => {
  test("the build binds it, says that its id is a placeholder, and `lunora start` serves it", async () => {
    haveGlobalTable();
    const build = app.run("vite", ["build"]);
    expect(await build.ended(), build.output).toBe(0);
    expect(build.output).toMatch(/D1_ID_PLACEHOLDER[\s\S]*npx wrangler d1 create playground-minimal/);
    expect(app.read("wrangler.jsonc")).toContain('"binding": "DB"');

    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const first = await start(port);
    await fill(url, ["DB"]);
    await call(url, "countries:add", { name: "Norway" });
    expect(await first.stop("SIGTERM")).toBe(0);
    expect(files(".lunora/production")).toEqual(["DB.sqlite"]);
    await start(port);
    expect(await names(url, "DB")).toEqual(["DB"]);
    expect(await call(url, "countries:list")).toMatchObject([{ name: "Norway" }]);
    expect((await residency()).databases).toMatchObject([
      { server: "production build", database: "DB", tables: { countries: 1, own: 1 } },
    ]);

    const doctor = app.run("lunora", ["doctor", "--json"]);
    await doctor.ended();
    const { checks } = JSON.parse(doctor.output) as { checks: { name: string; state: string; detail: string }[] };
    expect(checks.find(({ name }) => name === "D1")).toMatchObject({
      state: "warning",
      detail: expect.stringContaining("D1_ID_PLACEHOLDER") as string,
    });
  });
});
