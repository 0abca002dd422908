import { afterAll, beforeAll, expect, inject, test } from "vitest";

import { appEntry } from "../testing/client.ts";
import { TestWorker } from "../testing/workerd.ts";

let worker: TestWorker;

beforeAll(async () => {
  worker = await TestWorker.start({
    entry: appEntry("footprint"),
    namespaces: [{ binding: "FOOTPRINT", className: "FootprintDO" }],
  });
});

afterAll(() => worker?.stop());

test.each([0, 1, 2, 3])("no write changes a read that its footprint says it cannot (seed + %i)", async (offset) => {
  const seed = inject("seed") + offset;
  const response = await worker.fetch("/", { method: "POST", body: JSON.stringify({ seed, rounds: 25 }) });
  const report = (await response.json()) as { missed: string[]; changed: number; touched: number; spared: number };
  expect(report.missed.slice(0, 3)).toEqual([]);
  // A footprint that always says yes would prove nothing.
  expect(report.changed).toBeGreaterThan(100);
  expect(report.spared).toBeGreaterThan(report.touched);
});
