import { describe, expect, test } from "vitest";

import { mergeResults } from "./merge.ts";

const rows = (...values: unknown[]): { n: unknown }[] => values.map((n) => ({ n }));

describe("mergeResults", () => {
  test("concat keeps the order of shards, or sorts with absent values first", () => {
    expect(mergeResults({ kind: "concat" }, [[3], [], [1, 2]])).toEqual([3, 1, 2]);
    const merged = mergeResults({ kind: "concat", by: "n", direction: "asc" }, [
      rows("b", 2n),
      rows(10, null, 1.5),
      [{}],
    ]);
    expect(merged).toEqual([{ n: null }, {}, { n: 1.5 }, { n: 2n }, { n: 10 }, { n: "b" }]);
    expect(mergeResults({ kind: "concat", by: null }, [[2], [1]])).toEqual([2, 1]);
  });

  test("rows that are equal stay in the order of their shards, in both directions", () => {
    const shards = [[{ n: 1, shard: "a" }], [{ n: 1, shard: "b" }]];
    for (const direction of ["asc", "desc"] as const) {
      expect(mergeResults({ kind: "concat", by: "n", direction }, shards)).toEqual(shards.flat());
    }
  });

  test("topK takes the best over all shards", () => {
    expect(mergeResults({ kind: "topK", by: "n", k: 2, direction: "desc" }, [rows(1, 5), rows(9), rows()])).toEqual(
      rows(9, 5),
    );
    expect(mergeResults({ kind: "topK", by: "n", k: 5, direction: "asc" }, [rows(2), rows(1)])).toEqual(rows(1, 2));
  });

  test("first, sum, min and max leave out what is absent", () => {
    expect(mergeResults({ kind: "first" }, [null, undefined, 0, 1])).toBe(0);
    expect(mergeResults({ kind: "first" }, [])).toBeNull();
    expect(mergeResults({ kind: "sum" }, [1, null, 2.5])).toBe(3.5);
    expect(mergeResults({ kind: "sum" }, [2n ** 70n, 1, 2n])).toBe(2n ** 70n + 3n);
    expect(mergeResults({ kind: "sum" }, [1n, 0.5])).toBe(1.5);
    expect(mergeResults({ kind: "sum" }, [])).toBe(0);
    expect(mergeResults({ kind: "min" }, [3, null, 2n])).toBe(2n);
    expect(mergeResults({ kind: "max" }, ["a", "b"])).toBe("b");
    expect(mergeResults({ kind: "max" }, [undefined])).toBeNull();
  });

  test("groupBy reduces rows of all shards by group", () => {
    const shards = [
      [
        { k: "a", v: 1 },
        { k: 1n, v: 5 },
      ],
      [{ k: "a", v: 3 }, { v: 7 }],
    ];
    const by = (operation: "sum" | "min" | "max" | "count"): unknown =>
      mergeResults({ kind: "groupBy", by: "k", value: "v", operation }, shards);
    expect(by("sum")).toEqual([
      { k: null, v: 7 },
      { k: 1n, v: 5 },
      { k: "a", v: 4 },
    ]);
    expect(by("count")).toEqual([
      { k: null, v: 1 },
      { k: 1n, v: 1 },
      { k: "a", v: 2 },
    ]);
    expect(by("min")).toEqual([
      { k: null, v: 7 },
      { k: 1n, v: 5 },
      { k: "a", v: 1 },
    ]);
    expect(by("max")).toEqual([
      { k: null, v: 7 },
      { k: 1n, v: 5 },
      { k: "a", v: 3 },
    ]);
  });
});
