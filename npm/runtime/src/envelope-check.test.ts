import { LunoraError } from "@lunora/errors";
import { expect, test } from "vitest";

import { checkBatch, checkCall } from "./envelope-check.ts";

const call = { functionPath: "a:b", args: {} };

test.each(["mutationId", "clientId", "shardKey", "functionPath"])(
  "half a surrogate pair in `%s` is refused: stored, it would be any other half",
  (field) => {
    expect(() => checkCall({ ...call, [field]: "x\ud800" })).toThrow("half a surrogate pair");
    expect(checkCall({ ...call, [field]: "x\u{1F600}" })).toMatchObject({ [field]: "x\u{1F600}" });
  },
);

test("a call of a batch that is refused leaves the others", () => {
  const [first, second] = checkBatch({ calls: [{ ...call, mutationId: "\udc00" }, call] });
  expect(first?.call).toBeInstanceOf(LunoraError);
  expect(second).toEqual({ id: "1", call });
});
