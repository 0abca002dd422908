import { expect, test } from "vitest";

import { TurnQueue } from "./turn-queue.ts";

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

test("groups, turns and flushes follow each other, however they end", async () => {
  const events: string[] = [];
  const queue = new TurnQueue<string>({
    async runGroup(mutations) {
      events.push(`group ${mutations.join("")}`);
      await pause(5);
      return { taken: Math.min(mutations.length, 3), hasWritten: !mutations.includes("x") };
    },
    async flush() {
      events.push("flush begins");
      await pause(5);
      events.push("flush ends");
    },
  });
  queue.push(["a"]);
  queue.push(["b", "c", "d", "e"]);
  const failing = queue.turn(async () => {
    events.push("turn");
    throw new Error("refused");
  });
  queue.push(["x"]);
  await expect(failing).rejects.toThrow("refused");
  const last = await queue.turn(async () => "last");
  expect(last).toBe("last");
  const flush = ["flush begins", "flush ends"];
  expect(events).toEqual(["group a", ...flush, "group bcde", ...flush, "group e", ...flush, "turn", "group x"]);
});
