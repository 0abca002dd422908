import { expect, test } from "vitest";

import { fanOut } from "./fan-out.ts";
import type { FanOutEffects } from "./fan-out.ts";
import type { ShardAnswer } from "./shard-protocol.ts";

/** A clock that stands until it is moved. */
class ManualTimers {
  readonly #sleepers: { readonly until: number; readonly wake: () => void }[] = [];
  #now = 0;

  sleep(milliseconds: number): Promise<void> {
    return new Promise((wake) => this.#sleepers.push({ until: this.#now + milliseconds, wake }));
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds;
    for (const { until, wake } of this.#sleepers) if (until <= this.#now) wake();
  }
}

const limits = { concurrency: 16, shardTimeout: 5_000 };
const answer = (result: unknown): ShardAnswer => ({ ok: true, body: { result } });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function effects(
  names: readonly string[],
  call: FanOutEffects["call"],
  timers = new ManualTimers(),
): FanOutEffects & { timers: ManualTimers } {
  return {
    timers,
    call,
    list: async (cursor) => {
      const start = cursor === null ? 0 : Number(cursor);
      const end = start + 40;
      return { names: names.slice(start, end), cursor: end < names.length ? String(end) : null };
    },
  };
}

const rooms = Array.from({ length: 100 }, (_, index) => `room=${String(index).padStart(3, "0")}`);

test("at most 16 shards are asked at the same time, and all are asked", async () => {
  let running = 0;
  let most = 0;
  const result = await fanOut(
    { kind: "concat" },
    limits,
    effects(rooms, async (name) => {
      running += 1;
      most = Math.max(most, running);
      await turn();
      running -= 1;
      return answer([name]);
    }),
  );
  expect(most).toBe(16);
  expect(result).toEqual({ data: rooms, errors: [], ok: 100, failed: 0 });
});

test("a shard that hangs is given up after its time and only holds one of the places", async () => {
  const timers = new ManualTimers();
  let isDone = false;
  const asked: string[] = [];
  const pending = fanOut(
    { kind: "sum" },
    limits,
    effects(
      rooms,
      (name) => {
        asked.push(name);
        return name === "room=007" ? new Promise(() => {}) : Promise.resolve(answer(1));
      },
      timers,
    ),
  ).finally(() => (isDone = true));
  await turn();
  expect([isDone, asked.length]).toEqual([false, 40]);
  timers.advance(4_999);
  await turn();
  expect(isDone).toBe(false);
  timers.advance(1);
  const result = await pending;
  expect(result).toEqual({
    data: 99,
    errors: [{ shardKey: "007", code: "SHARD_TIMEOUT", message: expect.any(String), timedOut: true }],
    ok: 99,
    failed: 1,
  });
});

test("what shards answer, throw or return in a wrong form is data, under the bare value of their name", async () => {
  const names = ["room=a%2Fb", "room=coded", "room=thrown", "room=not%20rows"];
  const result = await fanOut(
    { kind: "concat" },
    limits,
    effects(names, async (name) => {
      if (name === "room=coded")
        return { ok: false, status: 409, body: { error: { code: "CONFLICT", message: "no" } } };
      if (name === "room=thrown") throw new Error("a secret");
      return answer(name === "room=not%20rows" ? 5 : [1]);
    }),
  );
  expect(result.data).toEqual([1]);
  expect(result.errors.map(({ shardKey, code }) => [shardKey, code])).toEqual([
    ["coded", "CONFLICT"],
    ["thrown", "SHARD_ERROR"],
    ["not rows", "SHARD_ERROR"],
  ]);
  expect(JSON.stringify(result)).not.toContain("secret");
});

test("a registry that cannot be read fails the call as a whole", async () => {
  const broken = { ...effects([], async () => answer(1)), list: () => Promise.reject(new Error("no registry")) };
  await expect(fanOut({ kind: "sum" }, limits, broken)).rejects.toThrow("no registry");
});
