import { expect, test } from "vitest";

import { DEFAULT_RETRY, retryDelay } from "./retry.ts";

test("the wait doubles with each failure, up to the longest", () => {
  const waits = [1, 2, 3, 4, 8, 9, 1_000].map((failures) => retryDelay(failures, DEFAULT_RETRY, 1));
  expect(waits).toEqual([30_000, 60_000, 120_000, 240_000, 3_600_000, 3_600_000, 3_600_000]);
});

test("chance takes up to half of it", () => {
  expect(retryDelay(1, DEFAULT_RETRY, 0)).toBe(15_000);
  expect(retryDelay(1, DEFAULT_RETRY, 0.5)).toBe(22_500);
});
