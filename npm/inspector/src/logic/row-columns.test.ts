import { expect, test } from "vitest";
import { rowColumns } from "./row-columns.ts";

test("the id comes first, then what is declared, then what else is there", () => {
  expect(rowColumns(["body", "author"], [{ _id: "1", extra: 1, body: "b" }])).toEqual([
    "_id",
    "body",
    "author",
    "extra",
  ]);
  expect(rowColumns(["a", "b", "c", "d", "e", "f", "g"], [])).toHaveLength(6);
});
