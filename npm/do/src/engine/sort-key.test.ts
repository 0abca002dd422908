import * as fc from "fast-check";
import { expect, test } from "vitest";

import { checkProperty } from "../../../test-seed.ts";
import { bigintKey, bytesKey, compareKeys, mixedKey, numberKey } from "./sort-key.ts";

const sign = (value: number): number => Math.sign(value);
const order = <Value>(left: Value, right: Value): number => (left < right ? -1 : left > right ? 1 : 0);

test("keys of bigints sort as the bigints do", () => {
  const big = fc.oneof(
    fc.bigInt(),
    fc.bigInt({ min: -(10n ** 1023n), max: 10n ** 1023n }),
    fc.constantFrom(0n, -1n, 9n, 10n, -9n, -10n, -99n, -100n),
  );
  checkProperty(
    fc.property(
      big,
      big,
      (left, right) => void expect(order(bigintKey(left), bigintKey(right))).toBe(order(left, right)),
    ),
  );
});

test("keys of numbers sort as the numbers do", () => {
  const number = fc.oneof(
    fc.double({ noNaN: true }),
    fc.integer(),
    fc.constantFrom(0, -0, 5e-324, -5e-324, Infinity, -Infinity),
  );
  checkProperty(
    fc.property(
      number,
      number,
      (left, right) => void expect(order(numberKey(left), numberKey(right))).toBe(order(left, right)),
    ),
  );
});

test("keys of bytes sort as the bytes do", () => {
  const bytes = fc.uint8Array({ maxLength: 6 });
  checkProperty(
    fc.property(
      bytes,
      bytes,
      (left, right) => void expect(order(bytesKey(left), bytesKey(right))).toBe(sign(Buffer.compare(left, right))),
    ),
  );
  expect(bytesKey(new Uint8Array([1, 2, 3]).subarray(1, 2))).toBe("02");
});

test("texts compare by code point, as UTF-8 does", () => {
  const text = fc.string({ unit: "binary", maxLength: 5 });
  checkProperty(
    fc.property(
      text,
      text,
      (left, right) =>
        void expect(sign(compareKeys(left, right))).toBe(sign(Buffer.compare(Buffer.from(left), Buffer.from(right)))),
    ),
  );
});

test("absent values come first, then numbers, then texts", () => {
  const sorted = [null, -1, 0, 2, "", "a"];
  expect(sorted.toReversed().toSorted(compareKeys)).toEqual(sorted);
});

test("kinds in a mixed column are apart", () => {
  const values = [null, -1n, 5n, -1, 5, false, true, "", "z", new Uint8Array([0]), {}];
  const keys = values.map((value) => mixedKey(value, () => "x"));
  expect(keys.toReversed().toSorted(compareKeys)).toEqual(keys);
  expect(new Set(keys).size).toBe(values.length);
});
