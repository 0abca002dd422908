import { afterAll, beforeAll, expect, test } from "vitest";

import { NAMESPACES, result } from "../../do/testing/client.ts";
import type { Loose } from "../../do/testing/loose.ts";
import { TapListener } from "../../do/testing/tap-listener.ts";
import { TestWorker } from "../../do/testing/workerd.ts";
import { APP } from "../testing/worker.ts";

let listener: TapListener;
let worker: TestWorker;

beforeAll(async () => {
  listener = await TapListener.start();
  worker = await TestWorker.start({
    entry: APP,
    namespaces: [...NAMESPACES, { binding: "SCHEDULER", className: "SchedulerDO" }],
    define: { WITHOUT: '""' },
    tap: listener.path,
  });
});

afterAll(async () => {
  await worker?.stop();
  await listener?.stop();
});

const plan = (target: string, each: object[], more: object = {}): Promise<string[]> =>
  result(worker, "app:plan", { target, each, delay: 0, ...more });

const states = (jobId: string): Loose[] =>
  listener.events.filter((event) => event.type === "job" && event.jobId === jobId);

test("a job is told from its order to its end, and runs as a job", async () => {
  const [id = ""] = await plan("mark", [{ text: "told" }]);
  await listener.next((event) => event.jobId === id && event.state === "done");
  expect(states(id).map(({ state }) => state)).toEqual(["scheduled", "running", "done"]);
  expect(states(id)[0]).toMatchObject({ functionPath: "app:mark", object: "__root__" });
  const ran = await listener.next((event) => event.type === "call" && event.functionPath === "app:mark");
  expect(ran).toMatchObject({ kind: "job", outcome: "ok", object: "__root__" });
});

test("a cancelled job is told", async () => {
  const [id = ""] = await plan("mark", [{ text: "never" }], { delay: 60_000 });
  await listener.next((event) => event.jobId === id && event.state === "scheduled");
  await result(worker, "app:cancel", { id });
  await listener.next((event) => event.jobId === id && event.state === "cancelled");
});
