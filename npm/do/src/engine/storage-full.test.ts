import { initLunora, defineSchema, defineTable, v } from "@lunora/server";
import type { FunctionRegistry, LunoraDefinition } from "@lunora/server";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { Loose } from "../../testing/loose.ts";
import { MemorySqlite } from "../../testing/memory-sqlite.ts";
import { memoryHost } from "../../testing/memory-shard.ts";
import { Schema } from "./schema.ts";
import { ShardEngine } from "./shard-engine.ts";

const { mutation } = initLunora.dataModel<Loose>().create();
const schema = defineSchema({
  notes: defineTable({ text: v.string() }),
  sessions: defineTable({ endsAt: v.number() }).ttl("endsAt", { after: 0 }),
});
const handlers = {
  add: mutation.input({ text: v.string() }).mutation(async ({ ctx, args }: Loose) => ctx.db.insert("notes", args)),
  fill: mutation.mutation(async ({ ctx }: Loose) => {
    for (let index = 0; index < 1_000; index += 1) await ctx.db.insert("notes", { text: "x".repeat(10_000) });
  }),
  expire: mutation.input({ rows: v.number() }).mutation(async ({ ctx, args }: Loose) => {
    for (let index = 0; index < args.rows; index += 1) await ctx.db.insert("sessions", { endsAt: index });
  }),
  fillAndSwallow: mutation.mutation(async ({ ctx }: Loose) => {
    for (let index = 0; index < 1_000; index += 1)
      await ctx.db.insert("notes", { text: "x".repeat(10_000) }).catch(() => {});
    return "as if nothing had happened";
  }),
};
const module = async (): Promise<Record<string, unknown>> => handlers;
const functions: FunctionRegistry = Object.fromEntries(
  Object.keys(handlers).map((exportName) => [
    `n:${exportName}`,
    { kind: "mutation", visibility: "public", address: { kind: "root" }, module, exportName } as const,
  ]),
);
const definition: LunoraDefinition = { schema, functions, app: {} };

let sqlite: MemorySqlite;
let engine: ShardEngine;

const add = (text: string): Loose => run("add", { text });
const run = (name: string, args: object = {}): Promise<Loose> =>
  engine.call({ object: "__root__", functionPath: `n:${name}`, args, identity: null });
const count = (): unknown =>
  sqlite.exec("SELECT (SELECT count(*) FROM notes) AS notes, (SELECT count(*) FROM __cdc_log) AS log").toArray()[0];

beforeEach(async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  sqlite = new MemorySqlite();
  engine = await ShardEngine.open(definition, new Schema(schema), memoryHost(sqlite), "__root__");
  await add("before");
});

afterEach(() => {
  vi.restoreAllMocks();
  sqlite.close();
});

test.each(["fill", "fillAndSwallow"])(
  "a full storage refuses the whole group of `%s`, and nothing of it stays",
  async (name) => {
    const [{ page_count: pages }] = sqlite.exec("PRAGMA page_count").toArray() as Loose[];
    sqlite.exec(`PRAGMA max_page_count = ${pages + 20}`);
    const answers = await Promise.all([add("alone"), add("in the group"), run(name), add("behind")]);
    expect(answers.map((answer) => (answer.ok ? "ok" : answer.body.error.code))).toEqual([
      "ok",
      "STORAGE_FULL",
      "STORAGE_FULL",
      "STORAGE_FULL",
    ]);
    expect(answers[2].status).toBe(507);
    expect(count()).toEqual({ notes: 2, log: 2 });
    sqlite.exec(`PRAGMA max_page_count = ${pages + 10_000}`);
    expect((await add("after")).ok).toBe(true);
    expect((await run("fill")).ok).toBe(true);
    expect(count()).toEqual({ notes: 1_003, log: 1_003 });
  },
);

test("a storage that fails otherwise is no verdict on the calls of its group", async () => {
  const exec = sqlite.exec.bind(sqlite);
  vi.spyOn(sqlite, "exec").mockImplementation((statement, ...bindings) => {
    if (statement.startsWith("INSERT INTO __cdc_log")) throw new Error("disk I/O error: SQLITE_IOERR");
    return exec(statement, ...bindings);
  });
  const answers = await Promise.all([add("one"), add("two")]);
  expect(answers.map(({ status, body }) => [status, body.error?.code])).toEqual([
    [503, "SHARD_ERROR"],
    [503, "SHARD_ERROR"],
  ]);
  vi.mocked(sqlite.exec).mockRestore();
  expect(count()).toEqual({ notes: 1, log: 1 });
  expect((await add("after")).ok).toBe(true);
});

test("a sweep that SQLite cannot finish is taken back whole", async () => {
  await run("expire", { rows: 3 });
  const before = count();
  const exec = sqlite.exec.bind(sqlite);
  let deletes = 0;
  vi.spyOn(sqlite, "exec").mockImplementation((statement, ...bindings) => {
    if (statement.startsWith(`DELETE FROM "sessions"`) && (deletes += 1) === 2) {
      // What SQLite does on its own when it has no room.
      exec("ROLLBACK; SELECT 1");
      throw new Error("database or disk is full: SQLITE_FULL");
    }
    return exec(statement, ...bindings);
  });
  await expect(engine.ring()).rejects.toThrow("SQLITE_FULL");
  vi.mocked(sqlite.exec).mockRestore();
  expect(count()).toEqual(before);
  expect(sqlite.exec("SELECT count(*) AS n FROM sessions").toArray()).toEqual([{ n: 3 }]);
  await engine.ring();
  expect(sqlite.exec("SELECT count(*) AS n FROM sessions").toArray()).toEqual([{ n: 0 }]);
});
