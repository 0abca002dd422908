import { defineSchema, defineTable, v } from "@lunora/server";
import { beforeEach, expect, test } from "vitest";

import { MemoryD1 } from "../../../testing/memory-d1.ts";
import { encodeRow } from "../document.ts";
import { Schema } from "../schema.ts";
import { applyGlobalSchema } from "./global-layout.ts";

let database: MemoryD1;

beforeEach(() => {
  database = new MemoryD1();
});

type Columns = Parameters<typeof defineTable>[0];
const users = (
  columns: Columns,
  shape: (table: ReturnType<typeof defineTable>) => unknown = (table) => table,
): Schema =>
  new Schema(
    defineSchema({ users: shape(defineTable(columns).global()) as never, local: defineTable({ a: v.string() }) }),
  );

const names = async (type: string): Promise<unknown[]> =>
  (await database.rows(`SELECT name FROM sqlite_master WHERE type = '${type}' AND sql IS NOT NULL ORDER BY name`)).map(
    ({ name }) => name,
  );

async function insert(schema: Schema, id: string, fields: Record<string, unknown>): Promise<void> {
  const { creationTime, doc, keys } = encodeRow(schema.table("users"), id, 1, fields);
  const text = "INSERT INTO users(id, _creationTime, doc, keys) VALUES(?, ?, ?, ?)";
  await database.run([{ text, bindings: [id, creationTime, doc, keys] }]);
}

const byEmail = (table: ReturnType<typeof defineTable>): unknown =>
  table.index("by_email", ["email"], { unique: true });

test("makes the global tables and nothing of a shard's, and asks one question when they are there", async () => {
  const schema = users({ email: v.string() }, byEmail);
  await applyGlobalSchema(database.run, schema);
  expect(await names("table")).toEqual([
    "__lunora_changes",
    "__lunora_idempotency",
    "__lunora_meta",
    "sqlite_sequence",
    "users",
  ]);
  expect(await names("index")).toEqual(["__lunora_idempotency_at", "users__by_creation", "users__by_email"]);
  const before = database.sqlite.count;
  await applyGlobalSchema(database.run, schema);
  // BEGIN, the question, COMMIT.
  expect(database.sqlite.count - before).toBe(3);
});

test("replaces an index whose statement changed, drops one that would refuse rows, and leaves the others", async () => {
  const columns = { email: v.string(), name: v.string() };
  await applyGlobalSchema(
    database.run,
    users(columns, (table) =>
      table
        .index("by_email", ["email"], { unique: true })
        .index("by_name", ["name"])
        .index("by_both", ["name", "email"]),
    ),
  );
  const next = users(columns, (table) => table.index("by_both", ["email", "name"]));
  await applyGlobalSchema(database.run, next);
  expect(await names("index")).toEqual([
    "__lunora_idempotency_at",
    "users__by_both",
    "users__by_creation",
    "users__by_name",
  ]);
  const [both] = await database.rows("SELECT sql FROM sqlite_master WHERE name = 'users__by_both'");
  expect(both?.["sql"]).toBe(next.table("users").indexes.get("by_both")?.statement);
});

test("computes keys again when the class of a column changed", async () => {
  const before = users({ score: v.optional(v.number()) }, (table) => table.index("by_score", ["score"]));
  await applyGlobalSchema(database.run, before);
  for (let index = 0; index < 1_100; index += 1) await insert(before, `u${index}`, { score: index });
  const after = users({ score: v.optional(v.union(v.number(), v.string())) }, (table) =>
    table.index("by_score", ["score"], { unique: true }),
  );
  await applyGlobalSchema(database.run, after);
  const rows = await database.rows("SELECT id, keys FROM users");
  expect(rows).toHaveLength(1_100);
  for (const { id, keys } of rows) {
    const score = Number(String(id).slice(1));
    expect(keys).toBe(encodeRow(after.table("users"), String(id), 1, { score }).keys);
  }
});

test("refuses a unique index over rows that are not, and a table whose rows would have to expire", async () => {
  const plain = users({ email: v.string() });
  await applyGlobalSchema(database.run, plain);
  await insert(plain, "a", { email: "same" });
  await insert(plain, "b", { email: "same" });
  await expect(applyGlobalSchema(database.run, users({ email: v.string() }, byEmail))).rejects.toMatchObject({
    code: "UNIQUE_INDEX_REFUSED",
  });
  const expiring = users({ at: v.number() }, (table) => table.ttl("_creationTime", { after: 1 }));
  await expect(applyGlobalSchema(database.run, expiring)).rejects.toMatchObject({ code: "SCHEMA_INVALID" });
});
