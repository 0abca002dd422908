import { describe, expect, test } from "vitest";
import type { TimelineEvent } from "../api/events.ts";
import { EventRing } from "./event-ring.ts";

const log = (n: number): TimelineEvent => ({ type: "log", n, at: n, level: "info", text: `line ${n}` });

const commit = (n: number, fromSeq: number, toSeq: number, call: string): TimelineEvent => ({
  type: "commit",
  by: "calls",
  n,
  at: n,
  object: "messages:a",
  epoch: "e",
  fromSeq,
  toSeq,
  calls: [{ call, functionPath: "messages:send", fromSeq, toSeq }],
  changes: [],
});

const poke = (n: number, fromSeq: number, toSeq: number): TimelineEvent => ({
  type: "poke",
  calls: [],
  n,
  at: n,
  object: "messages:a",
  socket: "s",
  fromSeq,
  toSeq,
  frames: 3,
  bytes: 10,
  subscriptions: [],
  ms: 1,
});

describe("the ring", () => {
  test("keeps the newest and says how many went", () => {
    const ring = new EventRing(10);
    for (let n = 1; n <= 25; n += 1) ring.add([log(n)]);
    expect(ring.events.at(-1)?.n).toBe(25);
    expect(ring.events.length).toBeLessThanOrEqual(10);
    expect(ring.events.length + ring.letGo).toBe(25);
  });

  test("what is repeated is known", () => {
    const ring = new EventRing(10);
    ring.add([log(1), log(2)]);
    ring.add([log(2), log(3)]);
    expect(ring.events.map((event) => event.n)).toEqual([1, 2, 3]);
  });

  test("leads from a position to its call and to its pokes", () => {
    const ring = new EventRing(10);
    ring.add([commit(1, 0, 3, "one"), poke(2, 0, 3), commit(3, 3, 4, "two"), poke(4, 3, 4)]);
    expect(ring.callAt("messages:a", 2)?.call).toBe("one");
    expect(ring.callAt("messages:a", 4)?.call).toBe("two");
    expect(ring.callAt("messages:a", 5)).toBeUndefined();
    expect(ring.callAt("messages:b", 2)).toBeUndefined();
    expect(ring.pokesOf("messages:a", 2, 4).map((event) => event.n)).toEqual([2, 4]);
    expect(ring.pokesOf("messages:a", 3, 4).map((event) => event.n)).toEqual([4]);
  });

  test("of a position that two epochs used, the newer commit", () => {
    const ring = new EventRing(10);
    ring.add([commit(1, 0, 3, "old"), commit(2, 0, 1, "new")]);
    expect(ring.callAt("messages:a", 1)?.call).toBe("new");
    expect(ring.callAt("messages:a", 3)?.call).toBe("old");
  });

  test("what was let go of leads nowhere", () => {
    const ring = new EventRing(5);
    ring.add([commit(1, 0, 1, "one")]);
    ring.add([2, 3, 4, 5, 6, 7].map(log));
    expect(ring.callAt("messages:a", 1)).toBeUndefined();
  });
});
