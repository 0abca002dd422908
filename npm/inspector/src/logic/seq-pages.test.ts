import { expect, test } from "vitest";
import { pagesOf, rowsOf, tooMany } from "./seq-pages.ts";

test("a range has its positions, an emptied log none", () => {
  expect(rowsOf({ floor: 1, head: 1_000_000 })).toBe(1_000_000);
  expect(rowsOf({ floor: 11, head: 10 })).toBe(0);
});

test("rows lie in pages of positions, so that a page stays the same when the head moves on", () => {
  expect(pagesOf(0, 10, { floor: 1, head: 1005 }, 100)).toEqual([10, 9]);
  expect(pagesOf(5, 15, { floor: 1, head: 1010 }, 100)).toEqual([10, 9]);
  expect(pagesOf(0, 0, { floor: 1, head: 1005 }, 100)).toEqual([]);
});

test("the least recently used go", () => {
  expect(tooMany([4, 8, 2], 2)).toEqual([4]);
  expect(tooMany([4], 2)).toEqual([]);
});
