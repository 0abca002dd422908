import { setTimeout as pause } from "node:timers/promises";

import { afterAll, beforeAll, expect, inject, test } from "vitest";

import { call, result } from "../../do/testing/client.ts";
import { Random } from "../../do/testing/random.ts";
import type { TestWorker } from "../../do/testing/workerd.ts";
import { schedulerRows, shardRows, startApp, until } from "../testing/worker.ts";

const random = new Random(inject("seed"));
const ROUNDS = 15;
const WRITERS = 4;

let worker: TestWorker;

beforeAll(async () => {
  worker = await startApp();
});

afterAll(() => worker?.stop());

/** Schedules until the process dies. What is sent again has the same mutation id, so that it is scheduled once. */
async function write(planned: Map<string, boolean>, writer: string): Promise<void> {
  for (let n = 0; ; n += 1) {
    const text = `${writer} ${n};`;
    const isAction = random.chance(0.3);
    const [target, kind] = isAction ? ["work", "action"] : ["mark", "mutation"];
    const each = isAction ? { text, ms: random.below(30) } : { text };
    const delay = random.below(3) * 20;
    planned.set(text, false);
    const answer = await call(worker, "app:plan", { target, kind, each: [each], delay }).catch(() => undefined);
    if (answer === undefined) return;
    if (answer.error !== undefined) {
      // The process died under it: whether it was committed is not known.
      return;
    }
    planned.set(text, true);
  }
}

test(`SIGKILL between commit, hand-over, run and its end, ${ROUNDS} times: mutations happen once, actions at least once`, async () => {
  /** By text: whether it was acknowledged. */
  const planned = new Map<string, boolean>();
  const acknowledgements = (): number => [...planned.values()].filter((isAcknowledged) => isAcknowledged).length;
  for (let round = 0; round < ROUNDS; round += 1) {
    const running = Promise.all(
      Array.from({ length: WRITERS }, (_, writer) => write(planned, `round ${round} writer ${writer}`)),
    );
    // However slow the machine is, something has been acknowledged.
    const enough = acknowledgements() + 4 + random.below(12);
    while (acknowledgements() < enough) await pause(random.below(10));
    await worker.kill();
    await running;
    await worker.spawn();
    // It dies again while it picks up what was left.
    if (random.chance(0.4)) {
      void result(worker, "app:marks").catch(() => {});
      await pause(random.below(60));
      await worker.restart();
    }
  }
  // Nobody calls: the alarms alone bring everything to its end.
  await until(
    async () => [
      ...(await shardRows(worker, "SELECT 'outbox' AS place, seq AS id FROM __schedule_outbox")),
      ...(await schedulerRows(worker, "SELECT 'job' AS place, * FROM jobs")),
    ],
    (rows) => rows.length === 0,
    120,
  );
  expect(await schedulerRows(worker, "SELECT * FROM dead")).toEqual([]);
  const counts = new Map<string, number>();
  const rows = await result(worker, "app:markRows");
  for (const { text } of rows) {
    const key = `${(text as string).split(";")[0]};`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  for (const text of counts.keys()) expect(planned.has(text)).toBe(true);
  const acknowledged = [...planned].filter(([, isAcknowledged]) => isAcknowledged).map(([text]) => text);
  for (const text of acknowledged) expect([text, counts.get(text) ?? 0]).not.toEqual([text, 0]);
  // A mutation that an action calls is as often as the action; a job that is a mutation is once.
  const jobs = rows.filter((row: { jobId?: string }) => row.jobId !== undefined && row.jobId !== null);
  expect(new Set(jobs.map((row: { jobId: string }) => row.jobId)).size).toBe(jobs.length);
  const twice = [...counts].filter(([, count]) => count > 1).map(([text]) => text);
  const once = new Set(jobs.map((row: { text: string }) => row.text));
  expect(twice.filter((text) => once.has(text))).toEqual([]);
});
