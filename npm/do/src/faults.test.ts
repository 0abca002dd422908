import type { ObservedFault } from "@lunora/runtime";
import { describe, expect, test } from "vitest";

import { seed } from "../../test-seed.ts";
import { Exchange } from "../tap/faults/exchange.ts";
import { apart, isNews } from "../tap/faults/frames.ts";
import { LateLine } from "../tap/faults/late-line.ts";
import { Outages } from "../tap/faults/outages.ts";
import { Random } from "../testing/random.ts";

/** A clock that is moved by hand, with timers that go off by it in any order among those of one moment. */
class Clock {
  now = 1_000;
  #timers: { readonly at: number; readonly run: () => void }[] = [];

  readonly later = (milliseconds: number, run: () => void): void => {
    this.#timers.push({ at: this.now + milliseconds, run });
  };

  move(milliseconds: number, random: Random): void {
    const until = this.now + milliseconds;
    for (;;) {
      const next = Math.min(...this.#timers.map(({ at }) => at));
      if (next > until) break;
      this.now = Math.max(this.now, next);
      const due = this.#timers.filter(({ at }) => at === next);
      const timer = random.pick(due);
      this.#timers.splice(this.#timers.indexOf(timer), 1);
      timer.run();
    }
    this.now = until;
  }
}

test("what is late keeps its order, and is no earlier than it is to be", () => {
  const random = new Random(seed);
  for (let round = 0; round < 200; round += 1) {
    const clock = new Clock();
    const line = new LateLine(() => clock.now, clock.later);
    const came: number[] = [];
    let count = 0;
    for (let step = 0; step < 20; step += 1) {
      const id = count;
      count += 1;
      const milliseconds = random.chance(0.4) ? 0 : random.below(30);
      const least = clock.now + milliseconds;
      line.add(milliseconds, () => {
        expect(clock.now).toBeGreaterThanOrEqual(least);
        came.push(id);
      });
      clock.move(random.below(12), random);
    }
    clock.move(30, random);
    expect(came).toEqual(Array.from({ length: count }, (_, index) => index));
  }
});

test("what is not late does not wait where nothing does", () => {
  const line = new LateLine(
    () => 0,
    () => expect.unreachable(),
  );
  let hasRun = false;
  line.add(0, () => (hasRun = true));
  expect(hasRun).toBe(true);
});

const news = (id: string): string => JSON.stringify({ type: "data", id });
const ack = (id: string): string => JSON.stringify({ type: "ack", id });

describe("messages that change places", () => {
  test("leave what is around them where it is", () => {
    const exchange = new Exchange();
    expect(exchange.take([ack("1"), news("a"), ack("2")])).toEqual([ack("1")]);
    expect(exchange.isWaiting).toBe(true);
    expect(exchange.take([ack("3")])).toEqual([]);
    expect(exchange.take([news("b"), ack("4"), news("c")])).toEqual([
      news("b"),
      ack("2"),
      ack("3"),
      news("a"),
      ack("4"),
      news("c"),
    ]);
    expect([exchange.isWaiting, exchange.isOver]).toEqual([false, true]);
    expect(exchange.take([news("d")])).toEqual([news("d")]);
  });

  test("are let go as they came when there is one alone", () => {
    const exchange = new Exchange();
    expect(exchange.take([news("a"), ack("1")])).toEqual([]);
    expect(exchange.giveUp()).toEqual([news("a"), ack("1")]);
    expect(exchange.isOver).toBe(true);
  });
});

test("news of rows are told apart from answers, in batches too", () => {
  const batch = (...frames: string[]): string => `{"type":"batch","frames":[${frames.join(",")}]}`;
  for (const type of ["data", "delta", "pokeStart", "pokePart", "pokeEnd"]) {
    expect(isNews(JSON.stringify({ type }))).toBe(true);
    expect(isNews(batch(ack("1"), JSON.stringify({ type })))).toBe(true);
  }
  for (const type of ["ack", "settled", "resume", "error", "chunk", "complete", "whisper"])
    expect(isNews(JSON.stringify({ type }))).toBe(false);
  expect(isNews(batch(ack("1"), ack("2")))).toBe(false);
  expect(apart([batch(ack("1"), news("a")), news("b")])).toEqual([ack("1"), news("a"), news("b")]);
});

describe("an outage", () => {
  const told: ObservedFault[] = [];
  const clock = { now: 5_000 };
  const outages = new Outages(
    (event) => told.push(event),
    () => clock.now,
  );

  test("is of one region, and over in time", async () => {
    expect(outages.unreachable("eu")).toBeUndefined();
    const by = { kind: "chaos", seed: 3, step: 0 };
    expect(outages.inject({ fault: "failRegion", region: "eu", ms: 100, by })).toEqual({
      state: "happened",
      details: { ms: 100 },
    });
    expect(told).toEqual([
      {
        type: "fault",
        at: 5_000,
        fault: "failRegion",
        state: "happened",
        by: "chaos",
        seed: 3,
        step: 0,
        region: "eu",
        details: { ms: 100 },
      },
    ]);
    expect(outages.unreachable(undefined)).toBeUndefined();
    const stub = outages.unreachable("eu") as { call(): Promise<never> };
    await expect(stub.call()).rejects.toMatchObject({ retryable: true });
    // Whoever awaits the stub itself has it.
    expect(await stub).toBe(stub);
    clock.now += 100;
    expect(outages.unreachable("eu")).toBeUndefined();
  });

  test("is replaced by another, and ended by none", () => {
    outages.inject({ fault: "failRegion", ms: 100 });
    outages.inject({ fault: "failRegion", region: null, ms: 200 });
    clock.now += 150;
    expect(outages.unreachable(undefined)).toBeDefined();
    outages.inject({ fault: "failRegion", ms: 0 });
    expect(outages.unreachable(undefined)).toBeUndefined();
  });
});
