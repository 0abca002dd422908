// Jobs and crons of a pinned app, generated and built as apps are, served by the production server.
import { Server } from "@lunora/native";
import type { EngineEvent } from "@lunora/native";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { relative, sep } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TestApp, call, until } from "../support/app.ts";

const MINUTE = 60_000;
const TOKEN = "a-token-of-sixteen-characters";
/** Nobody else writes this anywhere. */
const CANARY = "canary-7f3a91c4d2";

const JOBS = `import { internalMutation, mutation, query, v } from "./_generated/server";
import { internal } from "./_generated/api";

export const mark = internalMutation
  .input({ text: v.string() })
  .mutation(({ ctx, args }) => ctx.db.insert("notes", { text: args.text }));

export const plan = mutation
  .input({ text: v.string(), delay: v.number() })
  .mutation(({ ctx, args }) => ctx.scheduler.runAfter(args.delay, internal.jobs.mark, { text: args.text }));

export const texts = query.query(async ({ ctx }) => (await ctx.db.query("notes").collect()).map(({ text }) => text));
`;

const CRONS = `import { cronJobs } from "lunorash/server";
import { internal } from "./_generated/api";

const crons = cronJobs();
crons.cron("every minute", "* * * * *", internal.jobs.mark, { text: "rung" });
export default crons;
`;

let app: TestApp;
const servers: Server[] = [];

beforeEach(async () => {
  app = TestApp.copyOf("minimal");
  app.edit("lunora/schema.ts", "});\n", '}).jurisdiction("eu");\n');
  app.write("lunora/jobs.ts", JOBS);
  app.write("lunora/crons.ts", CRONS);
  app.write(".env", `LUNORA_ADMIN_TOKEN=${TOKEN}\n`);
  const program = app.run("vite", ["build"]);
  if ((await program.ended()) !== 0) throw new Error(program.output);
});

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close(0);
  await app.dispose();
});

/** Starts the server with a clock for its crons; resolves with its address. */
async function start(clockOffset: number): Promise<string> {
  let url = "";
  const server = await Server.start({ root: app.folder, port: 0, clockOffset }, (event: EngineEvent) => {
    if (event.type === "ready") ({ url } = event);
  });
  servers.push(server);
  await until("it serves", () => url !== "");
  return url;
}

const texts = (url: string): Promise<string[]> => call(url, "jobs:texts") as Promise<string[]>;

/** Files below the app's state in which the text stands, journals included, by their folders. */
function placesOf(text: string): string[] {
  const state = app.path(".lunora");
  const files = readdirSync(state, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const found = files
    .map((file) => `${file.parentPath}${sep}${file.name}`)
    .filter((file) => readFileSync(file).includes(text))
    .map((file) => relative(state, file).split(sep).slice(0, -1).join("/"));
  return [...new Set(found)].sort();
}

test("a job of a pinned app runs in its region, and its bytes are nowhere else", async () => {
  const url = await start(0);
  await call(url, "jobs:plan", { text: `${CANARY} now`, delay: 0 });
  await call(url, "jobs:plan", { text: `${CANARY} later`, delay: 60 * MINUTE });
  await until("the job has run", async () => (await texts(url)).includes(`${CANARY} now`));
  await until("the other is with the scheduler", () =>
    placesOf(`${CANARY} later`).includes("production/eu/do/SchedulerDO-eu"),
  );
  expect(placesOf(CANARY)).toEqual(["production/eu/do/SchedulerDO-eu", "production/eu/do/ShardDO-eu"]);
  expect(placesOf(`${CANARY} now`)).toContain("production/eu/do/ShardDO-eu");
  const unpinned = app.path(".lunora/production/none/do");
  const objects = existsSync(unpinned)
    ? readdirSync(unpinned, { recursive: true, encoding: "utf8" }).filter((name) => /[0-9a-f]{64}/.test(name))
    : [];
  expect(objects).toEqual([]);
});

test("crons ring at their minute", async () => {
  // As late in a minute as it takes to be there when the next one begins.
  const lead = 3_000;
  const url = await start(MINUTE - lead - (Date.now() % MINUTE) - MINUTE);
  await until("the cron has run", async () => (await texts(url)).includes("rung"));
});

test("the fingerprint of the schema is computed once: the gate, the worker and an export say the same", async () => {
  const url = await start(0);
  const prepared = app.run("lunora", ["prepare", "--json"]);
  expect(await prepared.ended(), prepared.output).toBe(0);
  const { schemaVersion } = JSON.parse(prepared.output) as { schemaVersion: string };
  expect(schemaVersion).toMatch(/^[0-9a-f]{16}$/);
  expect(app.read("lunora/_generated/worker.ts")).toContain(`schemaVersion: "${schemaVersion}"`);
  const exported = app.run("lunora", ["export", "--url", url, "--out", "dump.ndjson"], { LUNORA_ADMIN_TOKEN: TOKEN });
  expect(await exported.ended(), exported.output).toBe(0);
  const [header = ""] = app.read("dump.ndjson").split("\n");
  expect(JSON.parse(header)).toMatchObject({ kind: "header", schemaVersion });
  // A column makes it another one; an index does not.
  const version = async (): Promise<string> => {
    const program = app.run("lunora", ["prepare", "--json", "--allow-schema-drift"]);
    await program.ended();
    return (JSON.parse(program.output) as { schemaVersion: string }).schemaVersion;
  };
  app.edit("lunora/schema.ts", "v.string() })", 'v.string() }).index("by_text", ["text"])');
  expect(await version()).toBe(schemaVersion);
  app.edit("lunora/schema.ts", "v.string() })", "v.string(), more: v.optional(v.number()) })");
  expect(await version()).not.toBe(schemaVersion);
});
