import { expect, test } from "vitest";
import { Rates } from "./rates.ts";

test("counts by second, and forgets", () => {
  const rates = new Rates(3);
  rates.add("a", 1000, 2);
  rates.add("a", 1999, 1);
  rates.add("a", 3000, 5);
  expect(rates.series("a", 3500)).toEqual({ seconds: [1, 2, 3], counts: [3, 0, 5] });
  rates.add("a", 4000, 1);
  rates.add("a", 5000, 1);
  rates.add("a", 6000, 1);
  expect(rates.series("a", 6000).counts).toEqual([1, 1, 1]);
  expect(rates.series("nobody", 6000).counts).toEqual([0, 0, 0]);
});

test("the rate is over full seconds", () => {
  const rates = new Rates(60);
  for (let at = 10_000; at < 15_000; at += 100) rates.add("a", at, 1);
  expect(rates.current("a", 15_500)).toBe(10);
  expect(rates.current("a", 30_000)).toBe(0);
});
