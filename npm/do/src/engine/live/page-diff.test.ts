import { applyPageOperations, pageOf, withPage } from "@lunora/protocol";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { checkProperty } from "../../../../test-seed.ts";
import { diffPages } from "./page-diff.ts";

const rows = (...ids: number[]): object[] => ids.map((time) => ({ _id: `r${time}`, _creationTime: time }));

describe("the difference of two pages", () => {
  test("is a run of changes where replaying leads there", () => {
    expect(diffPages(rows(3, 2, 1), rows(4, 3, 2))).toEqual([
      { op: "insert", key: "r4", value: { _id: "r4", _creationTime: 4 } },
      { op: "delete", key: "r1" },
    ]);
    const page = { page: rows(1, 2), isDone: true, continueCursor: "c" };
    expect(diffPages(page, { ...page, page: rows(1) })).toEqual([{ op: "delete", key: "r2" }]);
  });

  test.each([
    ["another order", rows(1, 2), rows(2, 1)],
    [
      "an insert where no rule puts it",
      [{ _id: "b", n: 1 }],
      [
        { _id: "a", n: 0 },
        { _id: "b", n: 1 },
      ],
    ],
    ["another field", { page: rows(1), isDone: true }, { page: rows(1, 2), isDone: false }],
    ["a field more", { page: rows(1) }, { page: rows(1, 2), isDone: true }],
    ["an array and a page", rows(1), { page: rows(1) }],
    ["rows without ids", [{ a: 1 }], [{ a: 2 }]],
    ["a row twice", [...rows(1), ...rows(1)], rows(1)],
    ["no rows at all", 1, 2],
    ["nothing", rows(1), rows(1)],
    ["too many changes", [], rows(...Array.from({ length: 101 }, (_, index) => index))],
  ])("is none for %s", (_, before, after) => {
    expect(diffPages(before, after)).toBeUndefined();
  });

  test("always leads to the next result", () => {
    const list = fc.uniqueArray(
      fc.record({ _id: fc.constantFrom(..."abcdefghij"), _creationTime: fc.integer({ min: 0, max: 4 }), n: fc.nat(2) }),
      { selector: ({ _id }) => _id, maxLength: 8 },
    );
    const sorted = fc
      .tuple(list, fc.constantFrom(1, -1))
      .map(([unsorted, way]) => unsorted.toSorted((left, right) => way * (left._creationTime - right._creationTime)));
    const result = fc.oneof(
      list,
      sorted,
      sorted.map((page) => ({ page, isDone: true })),
    );
    checkProperty(
      fc.property(result, result, (before, after) => {
        const operations = diffPages(before, after);
        if (operations === undefined) return;
        const replayed = applyPageOperations(pageOf(before) ?? [], operations);
        expect(withPage(before, replayed ?? [])).toEqual(after);
      }),
      3_000,
    );
  });
});
