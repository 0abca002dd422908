import { defineSchema } from "@lunora/server";
import type { LunoraDefinition } from "@lunora/server";
import { afterEach, expect, test, vi } from "vitest";

import { REAL_TIMERS } from "./call-object.ts";
import { Dispatcher } from "./dispatcher.ts";
import { FAN_OUT_LIMITS } from "./fan-out.ts";

const definition: LunoraDefinition = {
  schema: defineSchema({}),
  functions: {
    "rooms:all": {
      kind: "query",
      visibility: "public",
      address: { kind: "fanOut", field: "room", merge: { kind: "concat" } },
      module: async () => ({}),
      exportName: "all",
    },
  },
  app: { authorizeFanOut: () => true },
};

afterEach(() => vi.restoreAllMocks());

test("a query of all shards in a worker without what asks them is a fault of the build, which the log names", async () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  const dispatcher = new Dispatcher(definition, {}, { now: () => 0, timers: REAL_TIMERS, fanOut: FAN_OUT_LIMITS });
  const call = { functionPath: "rooms:all", args: {} };
  expect(await dispatcher.call(call, { identity: null, isTrusted: false, depth: 0 })).toMatchObject({
    ok: false,
    body: { error: { code: "INTERNAL" } },
  });
  expect(String(log.mock.calls)).toContain("run codegen again");
});
