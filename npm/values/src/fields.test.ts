import { expect, it } from "vitest";

import { defaultOf, isNullable, parseFields, unwrap, v, ValidationError } from "./index.ts";

it("parses the arguments of a call", () => {
  const fields = { a: v.string(), b: v.number().default(2) };
  expect(parseFields(fields, { a: "x", c: 1 })).toEqual({ a: "x", b: 2 });
  expect(parseFields(fields, { a: "y" })).toEqual({ a: "y", b: 2 });
  expect(() => parseFields(fields, { a: 1 })).toThrow(ValidationError);
  expect(() => parseFields(fields, null)).toThrow("expected object, received null");
});

it("says what fills a column", () => {
  expect(defaultOf(v.string(), 5)).toBeUndefined();
  expect(defaultOf(v.string().default("x"), 5)).toBe("x");
  expect(
    defaultOf(
      v.number().$defaultFn(() => 3),
      5,
    ),
  ).toBe(3);
  expect(defaultOf(v.timestamp().defaultNow(), 5)).toBe(5);
});

it("looks into wrappers", () => {
  expect(unwrap(v.optional(v.bigint().nullable())).kind).toBe("bigint");
  expect(isNullable(v.optional(v.bigint().nullable()))).toBe(true);
  expect(isNullable(v.optional(v.bigint()).nullable())).toBe(true);
  expect(isNullable(v.optional(v.bigint()))).toBe(false);
});
