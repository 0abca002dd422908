import { expect, test } from "vitest";
import { press } from "./shortcuts.ts";

test("`g` and a letter go to a view", () => {
  const { pending } = press("g", 0, undefined);
  expect(press("o", 100, pending).action).toEqual({ kind: "go", view: "oplog" });
});

test("after a while `g` is forgotten", () => {
  const { pending } = press("g", 0, undefined);
  expect(press("j", 5000, pending).action).toEqual({ kind: "next" });
});

test("a letter without a view ends the wait and does nothing", () => {
  const { pending } = press("g", 0, undefined);
  expect(press("z", 10, pending)).toEqual({});
});

test.each([
  ["/", "search"],
  ["?", "help"],
  ["k", "previous"],
  [" ", "pause"],
])("%s", (key, kind) => expect(press(key, 0, undefined).action).toEqual({ kind }));
