import { describe, expect, test } from "vitest";

import fixtureText from "../../../tests/fixtures/page-deltas.json?raw";
import { applyPageOperations, pageOf, withPage } from "./page-delta.ts";
import type { PageOperation, PageRow } from "./page-delta.ts";

interface Case {
  readonly name: string;
  readonly rows: readonly PageRow[];
  readonly operations: readonly PageOperation[];
  readonly after: readonly PageRow[] | null;
}

const { cases } = JSON.parse(fixtureText) as { readonly cases: readonly Case[] };

describe("a run of page deltas", () => {
  test.each(cases)("$name", ({ rows, operations, after }) => {
    const before = structuredClone(rows);
    expect(applyPageOperations(rows, operations) ?? null).toEqual(after);
    expect(rows).toEqual(before);
  });
});

describe("the rows of a result", () => {
  test("are the result or its page", () => {
    const rows = [{ _id: "a" }, { _id: "b" }];
    expect(pageOf(rows)).toBe(rows);
    expect(pageOf({ page: rows, isDone: true })).toBe(rows);
    expect(pageOf([])).toEqual([]);
    expect(withPage(rows, [])).toEqual([]);
    expect(withPage({ page: rows, isDone: true }, [])).toEqual({ page: [], isDone: true });
  });

  test("are absent where a row has no id, or two share one", () => {
    const results = [null, undefined, 5, "text", { _id: "a" }, [1], [null], [["a"]], [{ _id: 1 }], { page: 1 }];
    for (const result of results) expect(pageOf(result)).toBeUndefined();
    expect(pageOf([{ _id: "a" }, { _id: "a" }])).toBeUndefined();
    expect(pageOf([Object.create({ _id: "a" })])).toBeUndefined();
  });
});
