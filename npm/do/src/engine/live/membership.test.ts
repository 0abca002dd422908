import { defineSchema, defineTable, v } from "@lunora/server";
import { expect, test, vi } from "vitest";

import { MemorySqlite } from "../../../testing/memory-sqlite.ts";
import { encodeRow } from "../document.ts";
import type { RowChange } from "../footprint.ts";
import { Schema } from "../schema.ts";
import { applySchema, createInternalTables } from "../storage-layout.ts";
import { scopeOf } from "../shard-scope.ts";
import { compileWhere } from "../where.ts";
import { Membership } from "./membership.ts";
import { RowProjection } from "./row-projection.ts";

test("a view that moves while very many rows change needs no statement for more than one takes", () => {
  const schema = new Schema(defineSchema({ t: defineTable({ room: v.string() }) }));
  const table = schema.table("t");
  const sqlite = new MemorySqlite();
  createInternalTables(sqlite);
  applySchema(sqlite, schema, scopeOf("__root__"));
  const stored = (id: string, room: string): ReturnType<typeof encodeRow> => encodeRow(table, id, 1, { room });
  const insert = (id: string, room: string): void => {
    const { creationTime, doc, keys } = stored(id, room);
    sqlite.exec("INSERT INTO t(id, _creationTime, doc, keys) VALUES(?, ?, ?, ?)", id, creationTime, doc, keys);
  };
  insert("stays", "b");
  insert("comes", "b");
  insert("changed", "b");
  // The flush put the last one where the new condition looks, and removed 100,000 others from elsewhere.
  const changes: RowChange[] = Array.from({ length: 100_000 }, (_, index) => ({
    table,
    id: `removed ${String(index).padStart(22, "0")}`,
    before: stored("x", "c"),
    after: undefined,
  }));
  changes.push({ table, id: "changed", before: stored("changed", "c"), after: stored("changed", "b") });
  const membership = (room: string): Membership => {
    const where = { room };
    return new Membership(new RowProjection(table, undefined), { fragment: compileWhere(table, where), tests: [] });
  };
  const longest = { length: 0 };
  const exec = sqlite.exec.bind(sqlite);
  vi.spyOn(sqlite, "exec").mockImplementation((statement, ...bindings) => {
    for (const value of bindings)
      if (typeof value === "string") longest.length = Math.max(longest.length, value.length);
    return exec(statement, ...bindings);
  });
  const patch = membership("b").patchFrom(sqlite, membership("a"), changes);
  const operations = patch.finish().flatMap((piece) => JSON.parse(piece) as { op: string; key: string }[]);
  expect(operations.map(({ op, key }) => `${op} ${key}`).toSorted()).toEqual([
    "insert changed",
    "insert comes",
    "insert stays",
  ]);
  // What the platform binds at most is 2 MB.
  expect(longest.length).toBeGreaterThan(0);
  expect(longest.length).toBeLessThan(2_000_000);
  sqlite.close();
});
