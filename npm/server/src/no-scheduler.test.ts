import { expect, test } from "vitest";

import { NO_SCHEDULER } from "./no-scheduler.ts";

test("without the scheduler every method says why", async () => {
  const reference = { path: "jobs:tidy", kind: "mutation", address: { kind: "root" } } as const;
  const uses = [
    NO_SCHEDULER.runAfter(0, reference),
    NO_SCHEDULER.runAt(0, reference),
    NO_SCHEDULER.cancel("id"),
    NO_SCHEDULER.get("id"),
    NO_SCHEDULER.list(),
  ];
  for (const use of uses) await expect(use).rejects.toMatchObject({ code: "SCHEDULER_MISSING" });
});
