import { initLunora, defineSchema, defineTable, v } from "@lunora/server";
import type { FunctionRegistry, LunoraDefinition } from "@lunora/server";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { Loose } from "../../testing/loose.ts";
import { MemorySqlite } from "../../testing/memory-sqlite.ts";
import { provideWithResolvers } from "../../testing/with-resolvers.ts";
import { Schema } from "./schema.ts";
import { ShardEngine } from "./shard-engine.ts";
import type { ShardHost } from "./shard-engine.ts";

provideWithResolvers();

const { mutation } = initLunora.dataModel<Loose>().create();
const schema = defineSchema({ notes: defineTable({ text: v.string() }) });
const handlers = {
  add: mutation.input({ text: v.string() }).mutation(async ({ ctx, args }: Loose) => ctx.db.insert("notes", args)),
  fill: mutation.mutation(async ({ ctx }: Loose) => {
    for (let index = 0; index < 1_000; index += 1) await ctx.db.insert("notes", { text: "x".repeat(10_000) });
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

function hostOf(): ShardHost {
  const within = (text: string): void => {
    // Several statements are not kept prepared: one that failed could not be used again.
    sqlite.exec(`${text}; SELECT 1`);
  };
  const rollback = (): void => {
    try {
      within("ROLLBACK");
    } catch {
      // SQLite has rolled back on its own.
    }
  };
  return {
    sql: sqlite,
    env: {},
    objectId: "object",
    now: () => 1_700_000_000_000,
    databaseSize: () => 0,
    transactionSync(run) {
      within("BEGIN");
      try {
        const result = run();
        within("COMMIT");
        return result;
      } catch (error) {
        rollback();
        throw error;
      }
    },
    async exclusiveTransaction(run) {
      within("BEGIN");
      try {
        const result = await run();
        within("COMMIT");
        return result;
      } catch (error) {
        rollback();
        throw error;
      }
    },
    sync: async () => {},
    getAlarm: async () => null,
    setAlarm: async () => {},
    register: async () => {},
  };
}

const add = (text: string): Loose => run("add", { text });
const run = (name: string, args: object = {}): Promise<Loose> =>
  engine.call({ object: "__root__", functionPath: `n:${name}`, args, identity: null });
const count = (): unknown =>
  sqlite.exec("SELECT (SELECT count(*) FROM notes) AS notes, (SELECT count(*) FROM __cdc_log) AS log").toArray()[0];

beforeEach(async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  sqlite = new MemorySqlite();
  engine = await ShardEngine.open(definition, new Schema(schema), hostOf(), "__root__");
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
