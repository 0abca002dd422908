import { defineSchema, defineTable, v } from "@lunora/server";
import { afterAll, expect, test } from "vitest";

import { seed } from "../../../../test-seed.ts";
import type { Loose } from "../../../testing/loose.ts";
import { MemorySqlite } from "../../../testing/memory-sqlite.ts";
import { Random } from "../../../testing/random.ts";
import { isTextEquality, testsOfWhere } from "../field-test.ts";
import { Schema } from "../schema.ts";
import { compileWhere } from "../where.ts";
import { Membership } from "./membership.ts";
import { RowProjection } from "./row-projection.ts";

const schema = new Schema(
  defineSchema({ t: defineTable({ a: v.string(), b: v.optional(v.string()), n: v.number(), u: v.any() }) }),
);
const table = schema.table("t");
const sqlite = new MemorySqlite();
afterAll(() => sqlite.close());

/** Texts that could be taken for one another, and what a column of another type has left behind. */
const VALUES: readonly Loose[] = [
  "",
  " ",
  "a",
  "A",
  "a ",
  "ä",
  "a\u0308",
  "\u00e4",
  "\u{1F600}",
  "\uffff",
  "1",
  "1.0",
  "true",
  "null",
  '"',
  "\\",
  "'",
  "a\u0000",
  "a\u0000b",
  undefined,
  null,
  1,
  1.5,
  true,
  false,
  ["a"],
  { a: "a" },
  ["$lunora.wire$", "bigint", "1"],
];

test("membership that JavaScript tells is the one that SQLite tells", () => {
  const random = new Random(seed);
  let told = 0;
  for (let round = 0; round < 3_000; round += 1) {
    const operand = (): Loose => random.pick(VALUES.filter((value) => typeof value === "string"));
    const where: Loose = random.pick([{ a: operand() }, { b: { eq: operand() } }, { a: operand(), b: operand() }]);
    const condition = { fragment: compileWhere(table, where), tests: testsOfWhere(table, where) };
    if (isTextEquality(table, where)) told += 1;
    const projection = new RowProjection(table, undefined);
    const [alone, asked] = [isTextEquality(table, where), false].map(
      (isTold) => new Membership(projection, { ...condition, isTold }),
    ) as [Membership, Membership];
    const doc = JSON.stringify({ a: random.pick(VALUES), b: random.pick(VALUES), n: 1, u: 1 });
    const after = { id: "row", creationTime: 1, doc, keys: null };
    const changes = [{ table, id: "row", before: undefined, after }];
    expect(alone.patch(sqlite, changes).finish(), `${JSON.stringify(where)} ${doc}`).toEqual(
      asked.patch(sqlite, changes).finish(),
    );
  }
  expect(told).toBeGreaterThan(1_000);
});

test.each<[Loose, boolean]>([
  [undefined, true],
  [{}, true],
  [{ a: "x" }, true],
  [{ a: { eq: "x" }, b: "y" }, true],
  [{ a: { eq: "x", ne: "y" } }, false],
  [{ a: { in: ["x"] } }, false],
  [{ a: "x\u0000" }, false],
  [{ b: null }, false],
  [{ n: 1 }, false],
  [{ u: "x" }, false],
  [{ _id: "x" }, false],
  [{ a: undefined }, false],
  [{ AND: [{ a: "x" }] }, false],
  [{ a: "x", OR: [{ b: "y" }] }, false],
])("%j is left to JavaScript: %s", (where, expected) => {
  expect(isTextEquality(table, where)).toBe(expected);
});
