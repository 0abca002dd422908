import { defineSchema, defineTable, v } from "@lunora/server";
import { describe, expect, test } from "vitest";

import { encodeRow } from "./document.ts";
import type { StoredRow } from "./document.ts";
import { testsOfWhere } from "./field-test.ts";
import { Footprint } from "./footprint.ts";
import { termsOfIndex, termsOfOrder } from "./order.ts";
import { Schema } from "./schema.ts";
import type { Table } from "./table.ts";

const schema = new Schema(
  defineSchema({
    notes: defineTable({ a: v.optional(v.string()), n: v.optional(v.number()), code: v.optional(v.string()) })
      .index("by_a", ["a"])
      .index("by_code", ["code"], { unique: true }),
    others: defineTable({ a: v.string() }),
  }),
);
const notes = schema.table("notes");
const others = schema.table("others");

const row = (id: string, time: number, fields: Record<string, unknown>): StoredRow =>
  encodeRow(notes, id, time, fields);

function touches(
  footprint: Footprint,
  before: StoredRow | undefined,
  after: StoredRow | undefined,
  table: Table = notes,
): boolean {
  return footprint.touches([{ table, id: (before ?? after)?.id as string, before, after }]);
}

describe("a footprint", () => {
  test("of nothing is touched by nothing", () => {
    const footprint = new Footprint();
    expect(touches(footprint, undefined, row("1", 1, {}))).toBe(false);
    expect(footprint.tables.size).toBe(0);
    footprint.noteEverything();
    expect(touches(footprint, undefined, row("1", 1, {}))).toBe(true);
  });

  test("of points is touched by these rows, missing ones included", () => {
    const footprint = new Footprint();
    footprint.notePoint(notes, "1");
    expect(touches(footprint, undefined, row("1", 1, {}))).toBe(true);
    expect(touches(footprint, undefined, row("2", 1, {}))).toBe(false);
    expect(touches(footprint, undefined, row("1", 1, { a: "x" }), others)).toBe(false);
    expect([...footprint.tables]).toEqual(["notes"]);
  });

  test("of a range is touched by a row that leaves it, enters it or changes in it", () => {
    const footprint = new Footprint();
    footprint.noteRange(notes, testsOfWhere(notes, { a: "x", n: { gte: 2, lt: 5 } }));
    const inside = row("1", 1, { a: "x", n: 2 });
    const below = row("1", 1, { a: "x", n: 1 });
    expect(touches(footprint, inside, below)).toBe(true);
    expect(touches(footprint, below, inside)).toBe(true);
    expect(touches(footprint, inside, row("1", 1, { a: "x", n: 2, code: "c" }))).toBe(true);
    expect(touches(footprint, below, row("1", 1, { a: "x", n: 5 }))).toBe(false);
    expect(touches(footprint, below, row("1", 1, { a: "y", n: 3 }))).toBe(false);
    expect(touches(footprint, undefined, row("1", 1, { a: "x" }))).toBe(false);
  });

  test("is not touched by a write that changes nothing", () => {
    const footprint = new Footprint();
    footprint.noteRange(notes, []);
    expect(touches(footprint, row("1", 1, { a: "x" }), row("1", 1, { a: "x" }))).toBe(false);
    expect(touches(footprint, row("1", 1, { a: "x" }), row("1", 1, { a: "y" }))).toBe(true);
  });

  test("knows no bound where a column holds what its type does not", () => {
    const footprint = new Footprint();
    footprint.noteRange(notes, testsOfWhere(notes, { n: { eq: 1 } }));
    expect(touches(footprint, undefined, row("1", 1, { n: 2 }))).toBe(false);
    for (const n of ["of another time", Number.NaN, Infinity, true])
      expect(touches(footprint, undefined, row("1", 1, { n }))).toBe(true);
  });

  test("takes `or` and `not` for no bound", () => {
    const footprint = new Footprint();
    footprint.noteRange(
      notes,
      testsOfWhere(notes, { AND: [{ a: { in: ["x", null] } }, { OR: [{ n: 1 }] }], NOT: { n: 3 } }),
    );
    expect(touches(footprint, undefined, row("1", 1, { a: "x", n: 3 }))).toBe(true);
    expect(touches(footprint, undefined, row("1", 1, { n: 3 }))).toBe(true);
    expect(touches(footprint, undefined, row("1", 1, { a: "y", n: 1 }))).toBe(false);
  });

  test("of a page ends where the page does, ties included", () => {
    const footprint = new Footprint();
    const terms = termsOfOrder(notes, { n: "desc" });
    // The last row of the page: n 5, created at 10, called `m`; then the next one began behind n 9.
    footprint.noteRange(notes, [], { terms, after: [9, 10, "m"], through: [5, 10, "m"] });
    const note = (n: number | undefined, time: number, id: string): boolean =>
      touches(footprint, undefined, row(id, time, n === undefined ? {} : { n }));
    expect([note(10, 1, "a"), note(9, 11, "a"), note(9, 10, "m"), note(9, 10, "n")]).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect([note(9, 10, "l"), note(9, 9, "z"), note(7, 1, "a"), note(5, 10, "m")]).toEqual([true, true, true, true]);
    expect([note(5, 10, "l"), note(5, 9, "z"), note(4, 99, "z"), note(undefined, 99, "z")]).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  test("does not guess at SQLite's row numbers", () => {
    const index = notes.indexes.get("by_code");
    if (index === undefined) throw new Error("no index");
    const footprint = new Footprint();
    footprint.noteRange(notes, [], { terms: termsOfIndex(index, false), after: [null, 7], through: [null, 9] });
    expect(touches(footprint, undefined, row("1", 1, {}))).toBe(true);
    expect(touches(footprint, undefined, row("1", 1, { code: "c" }))).toBe(false);
  });

  test("of very many reads is one of the whole table", () => {
    const points = new Footprint();
    for (let index = 0; index < 10_001; index += 1) points.notePoint(notes, `${index}`);
    expect(touches(points, undefined, row("x", 1, {}))).toBe(true);
    const ranges = new Footprint();
    for (let index = 0; index < 257; index += 1) ranges.noteRange(notes, testsOfWhere(notes, { a: `${index}` }));
    expect(touches(ranges, undefined, row("x", 1, { a: "x" }))).toBe(true);
  });
});
