import { expect, test } from "vitest";
import { median, quantile, summarize } from "./statistics.mjs";

test("the median of an odd number is the middle one, of an even number between the two", () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([10, 1, 2, 3])).toBe(2.5);
  expect(median([7])).toBe(7);
});

test("numbers are ordered as numbers, and the samples stay as they were", () => {
  const samples = [100, 9, 20];
  expect(median(samples)).toBe(20);
  expect(samples).toEqual([100, 9, 20]);
});

test("no samples have no median", () => {
  expect(median([])).toBeNaN();
});

test("quantiles lie between the nearest ranks", () => {
  expect(quantile([0, 10, 20, 30, 40], 0.25)).toBe(10);
  expect(quantile([0, 10], 0.9)).toBeCloseTo(9);
  expect(quantile([3, 1, 2], 0)).toBe(1);
  expect(quantile([3, 1, 2], 1)).toBe(3);
});

test("the spread is half the distance of the quartiles as a part of the median", () => {
  expect(summarize([80, 90, 100, 110, 120])).toEqual({ median: 100, spread: 0.1, minimum: 80, maximum: 120, runs: 5 });
  expect(summarize([0, 0, 0]).spread).toBe(0);
});
