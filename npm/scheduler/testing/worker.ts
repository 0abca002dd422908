import { setTimeout as pause } from "node:timers/promises";

import { inspect, NAMESPACES } from "../../do/testing/client.ts";
import type { Loose } from "../../do/testing/loose.ts";
import { TestWorker } from "../../do/testing/workerd.ts";

/** The test app in a workerd of its own. `without`: a function that it has not. */
export async function startApp(without = ""): Promise<TestWorker> {
  return TestWorker.start({
    entry: APP,
    namespaces: [...NAMESPACES, { binding: "SCHEDULER", className: "SchedulerDO" }],
    define: { WITHOUT: JSON.stringify(without) },
  });
}

export const APP: string = new URL("./app.ts", import.meta.url).pathname;

/** Rows of a statement in the scheduler's own storage. */
export function schedulerRows(worker: TestWorker, statement: string): Promise<Loose[]> {
  return inspect(worker, "sql", statement, "scheduler");
}

/** Rows of a statement in a shard's own storage. */
export function shardRows(worker: TestWorker, statement: string, shard = "__root__"): Promise<Loose[]> {
  return inspect(worker, "sql", statement, shard);
}

/** Asks until the answer is right; tells the last one when it never is. */
export async function until<Answer>(
  ask: () => Promise<Answer>,
  isRight: (answer: Answer) => boolean,
  seconds = 60,
): Promise<Answer> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (isRight(answer)) return answer;
    if (Date.now() > end) throw new Error(`never came: ${JSON.stringify(answer).slice(0, 2_000)}`);
    await pause(20);
  }
}
