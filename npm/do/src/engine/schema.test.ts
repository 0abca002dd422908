import { defineSchema, defineTable, v } from "@lunora/server";
import type { SchemaDefinition } from "@lunora/server";
import { expect, test } from "vitest";

import { Schema } from "./schema.ts";

const text = (): ReturnType<typeof defineTable> => defineTable({ a: v.string(), b__c: v.string() });

const invalid: [string, () => SchemaDefinition][] = [
  ["names that meet in SQLite", () => defineSchema({ t: text().index("x__y", ["a"]), t__x: text().index("y", ["a"]) })],
  ["an index called like a table", () => defineSchema({ t: text().index("x", ["a"]), t__x: text() })],
  ["names that differ only in case", () => defineSchema({ notes: text(), Notes: text() })],
  ["a name of SQLite's own", () => defineSchema({ sqlite_x: text() })],
  [
    "a relation to a table that is not there",
    () => defineSchema({ t: text().relations((r) => ({ r: r.one("nowhere", { field: "a" }) })) }),
  ],
  [
    "a relation over a column that is not there",
    () => defineSchema({ t: text().relations((r) => ({ r: r.many("t", { field: "nowhere" }) })) }),
  ],
];

test.each(invalid)("%s are refused before anything is stored", (_, build) => {
  expect(() => new Schema(build())).toThrow(expect.objectContaining({ code: "SCHEMA_INVALID" }));
});
