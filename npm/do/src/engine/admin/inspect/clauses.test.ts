import { defineSchema, defineTable, v } from "@lunora/server";
import { describe, expect, test } from "vitest";

import { Schema } from "../../schema.ts";
import { clausesOfShape } from "./clauses.ts";
import type { Clause } from "./clauses.ts";

const columns = { a: v.string(), b: v.number(), gone: v.optional(v.number()) };
const schema = new Schema(
  defineSchema({ plain: defineTable(columns), marked: defineTable(columns).softDelete({ field: "gone" }) }),
);
const plain = schema.table("plain");
const marked = schema.table("marked");

const outline = ({ text, parts }: Clause): unknown => (parts.length === 0 ? text : [text, ...parts.map(outline)]);
const clauses = (own: unknown): unknown[] => clausesOfShape(plain, { own, allowed: undefined }).map(outline);

describe("the clauses of a condition", () => {
  test.each([
    ["every row", {}, []],
    ["bare values", { a: "x", b: 5 }, [`a eq "x"`, "b eq 5"]],
    ["operators of a column", { b: { gte: 1, lt: 9 } }, ["b gte 1", "b lt 9"]],
    ["lists", { a: { in: ["x", null] } }, [`a in ["x", null]`]],
    ["all", { AND: [{ a: "x" }, { AND: [{ b: 1 }, {}] }] }, [`a eq "x"`, "b eq 1"]],
    ["any", { OR: [{ a: "x" }, { b: 1 }] }, [[`a eq "x" OR b eq 1`, `a eq "x"`, "b eq 1"]]],
    [
      "any of all",
      { OR: [{ a: "x", b: 1 }, {}] },
      [[`(a eq "x" AND b eq 1) OR every row`, [`a eq "x" AND b eq 1`, `a eq "x"`, "b eq 1"], "every row"]],
    ],
    ["any of none", { OR: [] }, ["no row"]],
    ["not", { NOT: { a: "x" } }, [[`NOT (a eq "x")`, `a eq "x"`]]],
    ["not every row", { NOT: {} }, [["NOT (every row)", "every row"]]],
    [
      "bigints and bytes",
      { a: 2n ** 70n, b: { ne: new Uint8Array([1, 255]).buffer } },
      [`a eq ${2n ** 70n}n`, "b ne x'01ff'"],
    ],
  ])("%s", (_, where, wanted) => {
    expect(clauses(where)).toEqual(wanted);
  });

  test("come from the shape, its policies and what hides marked rows", () => {
    const sources = (allowed: false | object | undefined): string[] =>
      clausesOfShape(marked, { own: { b: 1 }, allowed: allowed as never }).map(
        ({ source, text }) => `${source}: ${text}`,
      );
    expect(sources({ a: "x" })).toEqual(["where: b eq 1", `policy: a eq "x"`, "softDelete: gone isNull true"]);
    expect(sources(undefined)).toEqual(["where: b eq 1", "softDelete: gone isNull true"]);
    expect(sources(false)).toEqual(["where: b eq 1", "policy: no row", "softDelete: gone isNull true"]);
  });

  test("name columns and operands", () => {
    const [any] = clausesOfShape(plain, { own: { OR: [{ a: "x" }, { b: { in: [1, 2] } }] }, allowed: undefined });
    expect([any?.columns, any?.operands]).toEqual([["a", "b"], []]);
    expect(any?.parts.map(({ columns: names, operands }) => [names, operands])).toEqual([
      [["a"], ["x"]],
      [["b"], [1, 2]],
    ]);
  });

  test("are cut where values are long", () => {
    expect((clauses({ a: "x".repeat(10_000) })[0] as string).length).toBeLessThan(300);
  });
});
