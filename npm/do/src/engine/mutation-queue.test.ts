import { expect, test } from "vitest";

import { MutationQueue } from "./mutation-queue.ts";

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

test("each runs when all before have ended, however they ended", async () => {
  const queue = new MutationQueue();
  const events: string[] = [];
  const run = (name: string, milliseconds: number, fails = false): Promise<string> =>
    queue.enqueue(async () => {
      events.push(`${name} begins`);
      await pause(milliseconds);
      events.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    });
  const outcomes = await Promise.allSettled([run("a", 20), run("b", 5, true), run("c", 0)]);
  expect(events).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
});
