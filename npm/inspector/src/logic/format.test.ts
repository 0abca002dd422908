import { describe, expect, test } from "vitest";
import { bytes, clock, count, distance, duration, plural } from "./format.ts";

describe("bytes", () => {
  test.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [1_500_000, "1.4 MiB"],
    [2 ** 30, "1.0 GiB"],
    [2 ** 60, "1048576.0 TiB"],
  ])("%d is %s", (value, text) => expect(bytes(value)).toBe(text));
});

describe("durations", () => {
  test.each([
    [0.44, "0.4 ms"],
    [38.4, "38 ms"],
    [1234, "1.2 s"],
    [180_000, "3 min"],
    [7_200_000, "2 h"],
    [172_800_000, "2 d"],
  ])("%d is %s", (value, text) => expect(duration(value)).toBe(text));

  test("a moment is before, after or now", () => {
    expect(distance(1000, 5000)).toBe("4 s ago");
    expect(distance(5000, 1000)).toBe("in 4 s");
    expect(distance(5000, 5300)).toBe("just now");
  });
});

test("the clock has milliseconds", () => {
  expect(clock(new Date(2026, 0, 2, 3, 4, 5, 6).getTime())).toBe("03:04:05.006");
});

test("numbers are grouped and counted", () => {
  expect(count(1_000_000)).toBe("1,000,000");
  expect(plural(1, "row")).toBe("1 row");
  expect(plural(2, "entry", "entries")).toBe("2 entries");
});
