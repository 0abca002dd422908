import { expect, it } from "vitest";

import { paginationOptsValidator } from "./index.ts";

it.each([
  { numItems: 1, cursor: null },
  { numItems: 20, cursor: "c", endCursor: "d" },
])("takes %j", (options) => {
  expect(paginationOptsValidator.parse(options)).toEqual(options);
});

it.each([
  [undefined, []],
  [{ cursor: null }, ["numItems"]],
  [{ numItems: "1", cursor: null }, ["numItems"]],
  [{ numItems: 1 }, ["cursor"]],
  [{ numItems: 1, cursor: null, endCursor: null }, ["endCursor"]],
])("refuses %j", (options, path) => {
  expect(paginationOptsValidator.safeParse(options)).toMatchObject({ ok: false, error: { path } });
});
