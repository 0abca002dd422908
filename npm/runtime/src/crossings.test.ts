import { expect, test } from "vitest";

import { countCrossing, crossingsOf } from "./crossings.ts";

const pinned = { tables: {}, pinnedJurisdiction: "eu" as const };

test("counts what leaves a pinned app by kind and name, for each environment", () => {
  const [env, other] = [{}, {}];
  countCrossing(pinned, env, "globalTable", "users");
  countCrossing(pinned, env, "action", "mail:send");
  countCrossing(pinned, env, "action", "mail:send");
  countCrossing(pinned, other, "action", "mail:send");
  expect(crossingsOf(env)).toEqual([
    { kind: "action", name: "mail:send", count: 2 },
    { kind: "globalTable", name: "users", count: 1 },
  ]);
  expect(crossingsOf(other)).toEqual([{ kind: "action", name: "mail:send", count: 1 }]);
});

test("an app that is not pinned has no boundary", () => {
  const env = {};
  countCrossing({ tables: {} }, env, "action", "mail:send");
  expect(crossingsOf(env)).toEqual([]);
});
