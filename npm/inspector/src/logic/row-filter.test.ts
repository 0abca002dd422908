import { expect, test } from "vitest";
import { rowFilter } from "./row-filter.ts";

test.each([
  ["author = Ada", { author: { eq: "Ada" } }],
  ['author="Ada"', { author: { eq: "Ada" } }],
  ["likes >= 3", { likes: { gte: 3 } }],
  ["likes >= 3 and likes < 9 AND body ~ hello world", { likes: { gte: 3, lt: 9 }, body: { contains: "hello world" } }],
  ["done != true", { done: { ne: true } }],
  ['{"author":{"in":["a","b"]}}', { author: { in: ["a", "b"] } }],
])("%s", (text, where) => expect(rowFilter(text)).toEqual({ kind: "where", where }));

test("nothing is no filter", () => expect(rowFilter("  ")).toEqual({ kind: "none" }));

test.each(["author", "= 3", "author =", "{broken"])("%s is a mistake", (text) =>
  expect(rowFilter(text).kind).toBe("mistake"),
);
