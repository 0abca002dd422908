import { expect, it } from "vitest";

import { formatPath } from "./path.ts";

it.each([
  [[], ""],
  [["a"], "a"],
  [["a", "b"], "a.b"],
  [["a", 0, "b"], "a[0].b"],
  [[0, "a"], "[0].a"],
  [["a b", "c"], '["a b"].c'],
  [["a", "", "1"], 'a[""]["1"]'],
  [["$x", "_y"], "$x._y"],
])("%j is %j", (path, text) => {
  expect(formatPath(path)).toBe(text);
});
