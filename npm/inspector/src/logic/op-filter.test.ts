import { expect, test } from "vitest";
import { isOp, opFilter } from "./op-filter.ts";

test.each([
  ["", {}],
  ["messages insert", { table: "messages", op: "insert" }],
  ["table:insert", { table: "insert" }],
  ["abc123", { id: "abc123" }],
  ["op:delete id:x table:messages", { op: "delete", id: "x", table: "messages" }],
])("%s", (text, filter) => expect(opFilter(text, ["messages"])).toEqual(filter));

test("every condition has to hold", () => {
  const change = { table: "messages", id: "abc", op: "insert" };
  expect(isOp({}, change)).toBe(true);
  expect(isOp({ table: "messages", id: "b", op: "insert" }, change)).toBe(true);
  expect(isOp({ table: "messages", op: "delete" }, change)).toBe(false);
  expect(isOp({ table: "channels" }, change)).toBe(false);
});
