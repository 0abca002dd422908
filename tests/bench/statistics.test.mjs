import { expect, test } from "vitest";
import { compare, estimate, median, quantile, summarize } from "./statistics.mjs";

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

test("the median of few samples may lie anywhere between them", () => {
  expect(estimate([3, 1, 2, 5, 4])).toEqual({ median: 3, low: 1, high: 5 });
  expect(estimate([7])).toEqual({ median: 7, low: 7, high: 7 });
});

test.each([
  // The ranks that tables of the sign test give for 95 %.
  [6, 1],
  [8, 1],
  [9, 2],
  [25, 8],
  [50, 18],
  [100, 40],
  [2_000, 956],
])("of %d samples the median lies between those at rank %d from either end", (count, rank) => {
  const samples = Array.from({ length: count }, (_, index) => index + 1);
  expect(estimate(samples)).toEqual({ median: (count + 1) / 2, low: rank, high: count + 1 - rank });
});

test("subjects are compared by what they had in the same rounds", () => {
  // A machine that gets slower from round to round: the medians alone would say 100 : 100.
  const { ratio, difference } = compare([90, 180, 45], [100, 200, 50]);
  expect(ratio).toEqual({ median: 0.9, low: 0.9, high: 0.9 });
  expect(difference).toBe(-10);
});
