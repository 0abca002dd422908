import { expect, test } from "vitest";
import type { FaultEvent } from "../api/events.ts";
import { faultCause, faultDetails, faultTitle, isDisturbance } from "./fault-text.ts";

const fault = (fields: Partial<FaultEvent>): FaultEvent =>
  ({ type: "fault", n: 1, at: 1, fault: "cutPoke", state: "armed", by: "user", details: {}, ...fields }) as FaultEvent;

test("a fault says who wanted it, with the seed that plays it again", () => {
  expect(faultCause(fault({}))).toBe("you");
  expect(faultCause(fault({ by: "chaos", seed: 42, step: 3 }))).toBe("chaos 42, step 3");
  expect(faultCause(fault({ fault: "chaos", state: "started", by: "chaos", seed: 42, step: 0 }))).toBe("chaos 42");
});

test("parameters, the region, or why nothing was done", () => {
  expect(faultDetails(fault({ details: { sent: 1, lost: 3 } }))).toBe("sent 1, lost 3");
  expect(faultDetails(fault({ fault: "failRegion", region: null, details: { ms: 500 } }))).toBe(
    "region not pinned, ms 500",
  );
  expect(faultDetails(fault({ state: "skipped", details: { code: "NOT_FOUND", message: "no client" } }))).toBe(
    "no client",
  );
});

test("a step that was skipped disturbed nothing", () => {
  expect(isDisturbance(fault({}))).toBe(true);
  expect(isDisturbance(fault({ state: "happened" }))).toBe(true);
  for (const state of ["skipped", "started", "stopped"] as const) expect(isDisturbance(fault({ state }))).toBe(false);
  expect(faultTitle("evict")).toBe("Object evicted");
  expect(faultTitle("something new")).toBe("something new");
});
