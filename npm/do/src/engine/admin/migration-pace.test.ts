import { expect, test } from "vitest";

import { firstBatch, nextBatch } from "./migration-pace.ts";

test("batches grow while they are short, shrink when they are long, and stay within what is allowed", () => {
  expect(firstBatch(200)).toBe(50);
  expect(firstBatch(7)).toBe(7);
  expect(nextBatch(50, 1, 200)).toBe(100);
  expect(nextBatch(150, 1, 200)).toBe(200);
  expect(nextBatch(100, 50, 200)).toBe(100);
  expect(nextBatch(100, 500, 200)).toBe(50);
  expect(nextBatch(1, 5_000, 200)).toBe(1);
});
