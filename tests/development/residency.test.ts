// `lunora residency`: what is declared, where the bytes are, and what crossed the boundary, as text and as JSON.
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Program } from "../support/app.ts";
import { TestApp, call, until } from "../support/app.ts";
import { freePort } from "../support/free-port.mjs";

interface Stored {
  server: string;
  region: string | null;
  objects: number;
  bytes: number;
  folder: string;
  reachable: boolean;
}

interface Report {
  jurisdiction: string | null;
  classes: { class: string; region: string | null; stored: Stored[] }[];
  tables: {
    table: string;
    tier: string;
    heldBy: string;
    region: string | null;
    stored: { region: string | null; objects: number; rows: number; bytes: number; reachable: boolean }[];
  }[];
  servers: {
    url: string;
    error?: string;
    crossings?: { kind: string; name: string; count: number }[];
    stored?: { shards: number; tables: Record<string, { rows: number; bytes: number; shards: number }> };
  }[];
}

const token = "a-token-of-sixteen-characters";

let app: TestApp;

beforeEach(() => {
  app = TestApp.copyOf("minimal");
});

afterEach(async () => {
  await app.dispose();
});

async function lunora(...commandArguments: string[]): Promise<string> {
  const program = app.run("lunora", ["residency", ...commandArguments], { LUNORA_ADMIN_TOKEN: token });
  expect(await program.ended(), program.output).toBe(0);
  return program.output;
}

const report = async (): Promise<Report> => JSON.parse(await lunora("--json")) as Report;

async function serve(): Promise<{ url: string; server: Program }> {
  expect(await app.run("vite", ["build"]).ended()).toBe(0);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const server = app.run("lunora", ["start", "--port", String(port), "--allow-schema-drift", "--strand-data"], {
    LUNORA_ADMIN_TOKEN: token,
  });
  await until(`it serves: ${server.output}`, async () => {
    server.assertRuns();
    return (await fetch(`${url}/_lunora/health`)).ok;
  });
  return { url, server };
}

test("an app without data says where it would be", async () => {
  app.edit(
    "lunora/schema.ts",
    "});\n",
    '  countries: defineTable({ name: v.string() }).global(),\n}).jurisdiction("eu");\n',
  );
  const text = await lunora();
  expect(text).toContain("declared jurisdiction: eu");
  expect(text).toContain("no data on this machine");
  expect(text).toContain("no server runs");
  const { tables, classes } = await report();
  expect(tables).toEqual([
    { table: "notes", tier: "root", heldBy: "ShardDO", region: "eu", stored: [] },
    { table: "countries", tier: "global", heldBy: "D1", region: null, stored: [] },
  ]);
  expect(classes.map((one) => [one.class, one.region, one.stored])).toContainEqual(["ShardDO", "eu", []]);
});

test("bytes are shown where they are, what is left behind is marked, crossings are counted", async () => {
  const first = await serve();
  await call(first.url, "notes:add", { text: "before" });
  await first.server.stop("SIGTERM");
  const before = (await report()).classes.find((one) => one.class === "ShardDO");
  expect(before?.stored).toMatchObject([{ server: "production build", region: null, objects: 1, reachable: true }]);

  app.edit("lunora/schema.ts", "});\n", '}).jurisdiction("eu");\n');
  app.write(
    "lunora/outside.ts",
    `import { action } from "./_generated/server";
export const ask = action.action(async () => "asked");
`,
  );
  const { url } = await serve();
  await call(url, "notes:add", { text: "after" });
  await call(url, "outside:ask");
  await call(url, "outside:ask");
  await call(url, "notes:add", { text: "after that" });
  const { jurisdiction, classes, tables, servers } = await report();
  expect(jurisdiction).toBe("eu");
  const stored = classes.find((one) => one.class === "ShardDO")?.stored ?? [];
  expect(stored.map(({ region, objects, reachable }) => [region, objects, reachable])).toEqual([
    ["eu", 1, true],
    [null, 1, false],
  ]);
  for (const { bytes, folder } of stored) {
    expect(bytes).toBeGreaterThan(0);
    expect(folder.startsWith(app.folder)).toBe(true);
  }
  // Read from the files while the server runs, and asked of it: the same rows, and only here.
  const notes = tables.find(({ table }) => table === "notes")?.stored ?? [];
  expect(notes.map(({ region, objects, rows, reachable }) => [region, objects, rows, reachable])).toEqual([
    ["eu", 1, 2, true],
    [null, 1, 1, false],
  ]);
  expect(servers).toEqual([
    {
      url,
      jurisdiction: "eu",
      region: null,
      crossings: [{ kind: "action", name: "outside:ask", count: 2 }],
      stored: {
        shards: 1,
        bytes: expect.any(Number) as number,
        tables: { notes: { rows: 2, bytes: notes[0]?.bytes, shards: 1 } },
      },
    },
  ]);
  const text = await lunora();
  expect(text).toMatch(/not pinned: .* in 1 object, .*LEFT BEHIND/);
  expect(text).toMatch(/eu: 2 rows, \d+ B in 1 object \(production build\)\n/);
  expect(text).toMatch(/not pinned: 1 row, \d+ B in 1 object .*LEFT BEHIND/);
  expect(text).toMatch(/notes: 2 rows, \d+ B in 1 shard/);
  expect(text).toContain("2 × outside:ask: actions run in the Worker");
});

test("a server that gives no answer is said, and the token stays here", async () => {
  const outside = await lunora("--url", "http://192.0.2.1");
  expect(outside).toContain("not asked: without TLS the token is sent to this machine only");
  const nobody = await lunora("--url", `http://127.0.0.1:${await freePort()}`);
  expect(nobody).toMatch(/127\.0\.0\.1:\d+: \S+/);
});
