import { LunoraError } from "@lunora/errors";
import * as fc from "fast-check";
import { expect, it } from "vitest";

import { checkProperty } from "../../test-seed.ts";
import { DEFAULT_RETRY, isTransient, retryDelay } from "./retry.ts";

it("doubles up to a bound", () => {
  const policy = { attempts: 9, initialDelayMs: 100, maxDelayMs: 1000 };
  expect([1, 2, 3, 4, 5, 50].map((failures) => retryDelay(failures, 0, policy))).toEqual([50, 100, 200, 400, 500, 500]);
});

it("stays within the upper half of the full delay", () => {
  checkProperty(
    fc.property(
      fc.integer({ min: 1, max: 2000 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (failures, random) => {
        const delay = retryDelay(failures, random, DEFAULT_RETRY);
        const full = Math.min(DEFAULT_RETRY.maxDelayMs, DEFAULT_RETRY.initialDelayMs * 2 ** (failures - 1));
        expect(delay).toBeGreaterThanOrEqual(full / 2);
        expect(delay).toBeLessThanOrEqual(full);
      },
    ),
  );
});

it.each([
  ["NETWORK_FAILED", true],
  ["RELOADED", true],
  ["RELOADING", true],
  ["SHARD_ERROR", true],
  ["SHARD_UNAVAILABLE", true],
  ["WORKER_UNAVAILABLE", true],
  ["IMPORT_IN_PROGRESS", true],
  ["WRITES_PAUSED", true],
  ["MODULE_TIMEOUT", true],
  ["GLOBAL_UNAVAILABLE", true],
  ["GLOBAL_CONFLICT", false],
  ["SHARD_TIMEOUT", false],
  ["CONFLICT", false],
  ["INTERNAL", false],
  ["VALIDATION_ERROR", false],
])("%s is transient: %s", (code, expected) => {
  expect(isTransient(new LunoraError(code, "x"))).toBe(expected);
});

it("takes an app's own error as its status says", () => {
  expect(isTransient(new LunoraError("TOO_BUSY", "x", { status: 503 }))).toBe(true);
  expect(isTransient(new LunoraError("TOO_BUSY", "x"))).toBe(false);
});

it("takes nothing else for transient", () => {
  expect(isTransient(new TypeError("fetch failed"))).toBe(false);
  expect(isTransient(undefined)).toBe(false);
});
