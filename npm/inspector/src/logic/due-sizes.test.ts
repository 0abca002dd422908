import { expect, test } from "vitest";
import { dueSizes } from "./due-sizes.ts";

const seen = (lastWriteAt?: number): Parameters<typeof dueSizes>[0] => [{ name: "a", lastWriteAt }];
const read = new Map([["a", { at: 100_000, bytes: 1 }]]);

test("what was never read is due, whether or not a write was heard of", () => {
  expect(dueSizes([...seen(), { name: "b", lastWriteAt: 5 }], new Map(), 0)).toEqual(["a", "b"]);
});

test("what was read is due once it is old and was written to since", () => {
  expect(dueSizes(seen(), read, 900_000)).toEqual([]);
  expect(dueSizes(seen(99_999), read, 900_000)).toEqual([]);
  expect(dueSizes(seen(110_000), read, 110_000)).toEqual([]);
  expect(dueSizes(seen(110_000), read, 115_001)).toEqual(["a"]);
});

test("what could not be read is not asked again and again", () => {
  const failed = new Map([["a", { at: 100_000, code: "INTERNAL" }]]);
  expect(dueSizes(seen(50_000), failed, 900_000)).toEqual([]);
  expect(dueSizes(seen(200_000), failed, 900_000)).toEqual(["a"]);
});
