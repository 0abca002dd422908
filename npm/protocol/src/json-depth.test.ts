import { expect, test } from "vitest";

import { assertShallow } from "./json-depth.ts";

const nested = (depth: number, open = "[", close = "]"): string => open.repeat(depth) + close.repeat(depth);

test.each([
  nested(256),
  nested(256, '{"a":', "}").replace(":}", ":1}"),
  JSON.stringify("[{".repeat(1_000)),
  '"\\"[[" '.repeat(900),
])("%.20s… is shallow enough", (text) => {
  expect(() => assertShallow(text, "it")).not.toThrow();
});

test.each([nested(257), nested(257, '{"a":', "}"), `"\\\\"${nested(300)}`, "[".repeat(600)])(
  "%.20s… is too deep",
  (text) => {
    expect(() => assertShallow(text, "it")).toThrow("it is nested deeper than 256 levels");
  },
);
