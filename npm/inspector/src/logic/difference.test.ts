import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkProperty } from "../../../test-seed.ts";
import { difference, imageOf, isEqual } from "./difference.ts";

describe("two images of a row", () => {
  test("changed fields come first, then by name", () => {
    expect(difference({ a: 1, b: 2, c: 3, d: 4 }, { a: 1, b: 5, d: 4, e: 6 })).toEqual([
      { field: "b", kind: "changed", before: 2, after: 5 },
      { field: "c", kind: "removed", before: 3 },
      { field: "e", kind: "added", after: 6 },
      { field: "a", kind: "same", before: 1, after: 1 },
      { field: "d", kind: "same", before: 4, after: 4 },
    ]);
  });

  test("an insert adds, a delete removes", () => {
    expect(difference(undefined, { a: 1 }).map((change) => change.kind)).toEqual(["added"]);
    expect(difference({ a: 1 }, null).map((change) => change.kind)).toEqual(["removed"]);
  });

  test("a document is the same as its copy", () => {
    checkProperty(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (document) => {
        // Through text, as images travel; `-0` is no JSON.
        const [one, other] = [JSON.parse(JSON.stringify(document)), JSON.parse(JSON.stringify(document))];
        expect(difference(one, other).filter((change) => change.kind !== "same")).toEqual([]);
      }),
    );
  });
});

test("equality looks into values and not at the order of fields", () => {
  expect(isEqual({ a: [1, { b: 2 }], c: 3 }, { c: 3, a: [1, { b: 2 }] })).toBe(true);
  expect(isEqual([1], { 0: 1 })).toBe(false);
  expect(isEqual({ a: undefined }, { b: undefined })).toBe(false);
});

test("a cut image is no document", () => {
  expect(imageOf('{"a":1}')).toEqual({ a: 1 });
  expect(imageOf('{"a":"lo')).toBeUndefined();
  expect(imageOf("[1]")).toBeUndefined();
});
