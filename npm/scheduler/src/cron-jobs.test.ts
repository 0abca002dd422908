import { readFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import { cronJobs } from "@lunora/server";

interface Case {
  readonly method: "interval" | "hourly" | "daily" | "weekly" | "monthly";
  readonly options: Record<string, unknown>;
  readonly expression: string | null;
}

const cases = JSON.parse(
  readFileSync(new URL("../../../tests/fixtures/crons.json", import.meta.url), "utf8"),
) as readonly Case[];
const reference = { path: "jobs:tidy", kind: "mutation", address: { kind: "root" } } as const;

/** What a method of a fresh list makes of its options. */
function expressionOf(method: Case["method"], options: Record<string, unknown>): string | undefined {
  return cronJobs()[method]("job", options as never, reference).jobs[0]?.expression;
}

describe("schedules are the expressions that the toolchain reads", () => {
  test.each(cases.filter((one) => one.expression !== null))("$method $options", ({ method, options, expression }) => {
    expect(expressionOf(method, options)).toBe(expression);
  });

  test.each(cases.filter((one) => one.expression === null))("$method $options is refused", ({ method, options }) => {
    expect(() => expressionOf(method, options)).toThrow("The schedule of a cron");
  });
});

test("jobs are kept in order, with their arguments", () => {
  const crons = cronJobs()
    .daily("tidy", { hourUTC: 3, minuteUTC: 0 }, reference)
    .cron("odd", " 1  2 * *   MON ", reference, { deep: true });
  expect(crons.jobs).toEqual([
    { name: "tidy", expression: "0 3 * * *", reference, args: {} },
    { name: "odd", expression: "1 2 * * MON", reference, args: { deep: true } },
  ]);
});

test("a name is given once", () => {
  const crons = cronJobs().hourly("tidy", { minuteUTC: 0 }, reference);
  expect(() => crons.hourly("tidy", { minuteUTC: 1 }, reference)).toThrow("two crons `tidy`");
});
