import { afterEach, expect, test, vi } from "vitest";

import { Courier } from "../tap/courier.ts";
import type { CourierHost } from "../tap/courier.ts";
import { HELD_LENGTH } from "../tap/held-events.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A post that was sent, until the test says what became of it. */
interface Post {
  readonly lines: string[];
  readonly signal: AbortSignal;
  answer(isOpen: boolean): Promise<void>;
  fail(): Promise<void>;
}

const settled = async (): Promise<void> => {
  await vi.advanceTimersByTimeAsync(0);
};

function start(host: Partial<CourierHost> = {}): { courier: Courier; posts: Post[] } {
  vi.useFakeTimers({ now: 1_000_000 });
  const posts: Post[] = [];
  const courier = new Courier({
    now: () => Date.now(),
    post(text, signal) {
      return new Promise<boolean>((resolve, reject) => {
        signal.addEventListener("abort", () => reject(new Error("aborted")));
        posts.push({
          lines: text.trimEnd().split("\n").slice(1),
          signal,
          answer: (isOpen) => (resolve(isOpen), settled()),
          fail: () => (reject(new Error("nobody listens")), settled()),
        });
      });
    },
    keep: () => {},
    head: () => "head",
    lost: (_now, count) => `lost ${count}`,
    ...host,
  });
  return { courier, posts };
}

const tell = (courier: Courier, line: string, weight = 1, events = 1): void =>
  courier.tell({ line, weight, events }, Date.now());

/** A courier that has heard that somebody looks. */
async function opened(): Promise<{ courier: Courier; posts: Post[] }> {
  const { courier, posts } = start();
  tell(courier, "first");
  await vi.advanceTimersByTimeAsync(1_000);
  await posts.shift()?.answer(true);
  expect(courier.isOpen).toBe(true);
  return { courier, posts };
}

test("the next batch does not wait for the answer to the one before, and few are under way", async () => {
  const { courier, posts } = await opened();
  for (let n = 1; n <= 5; n += 1) {
    tell(courier, `event ${n}`);
    await vi.advanceTimersByTimeAsync(60);
  }
  expect(posts.map(({ lines }) => lines)).toEqual([["event 1"], ["event 2"], ["event 3"]]);
  await posts[0]?.answer(true);
  await vi.advanceTimersByTimeAsync(60);
  expect(posts[3]?.lines).toEqual(["event 4", "event 5"]);
});

test("batches that nobody took are held again, in their order", async () => {
  const { courier, posts } = await opened();
  for (let n = 1; n <= 3; n += 1) {
    tell(courier, `event ${n}`);
    await vi.advanceTimersByTimeAsync(60);
  }
  tell(courier, "event 4");
  const [one, two, three] = posts.splice(0) as [Post, Post, Post];
  await three.fail();
  await one.fail();
  await two.fail();
  await vi.advanceTimersByTimeAsync(1_100);
  expect(posts.map(({ lines }) => lines)).toEqual([["event 1", "event 2", "event 3", "event 4"]]);
});

test("while nobody looks the newest stay, and the marks, in their order", async () => {
  const { courier, posts } = start();
  for (let n = 1; n <= 500; n += 1)
    courier.tell({ line: `event ${n}`, weight: 1, events: 1, isMark: n % 200 === 0 }, Date.now());
  await vi.advanceTimersByTimeAsync(1_000);
  const lines = posts[0]?.lines ?? [];
  expect(lines.slice(0, 3)).toEqual(["lost 299", "event 200", "event 301"]);
  expect(lines).toHaveLength(202);
  await posts[0]?.answer(false);
  // What is told once is not told again.
  tell(courier, "next");
  await vi.advanceTimersByTimeAsync(1_000);
  expect(posts[1]?.lines).toEqual(["next"]);
});

test("marks are bounded as well", async () => {
  const { courier, posts } = start();
  for (let n = 1; n <= 1_000; n += 1)
    courier.tell({ line: `mark ${n}`, weight: 1, events: 1, isMark: true }, Date.now());
  await vi.advanceTimersByTimeAsync(1_000);
  expect(posts[0]?.lines).toHaveLength(301);
  expect(posts[0]?.lines[0]).toBe("lost 700");
});

test("who does not answer may have heard: nothing of it is told again, and it is counted", async () => {
  const { courier, posts } = await opened();
  tell(courier, "a group", 1, 7);
  await vi.advanceTimersByTimeAsync(6_000);
  expect(posts[0]?.signal.aborted).toBe(true);
  tell(courier, "after");
  await vi.advanceTimersByTimeAsync(1_100);
  expect(posts[1]?.lines).toEqual(["lost 7", "after"]);
});

test("while nobody looks little is held, and one batch at a time leaves, a second apart", async () => {
  const { courier, posts } = start();
  for (let n = 1; n <= 300; n += 1) tell(courier, `event ${n}`);
  await vi.advanceTimersByTimeAsync(25);
  const { lines } = posts[0] as Post;
  expect([lines[0], lines[1], lines.length]).toEqual(["lost 100", "event 101", 201]);
  tell(courier, "later");
  await vi.advanceTimersByTimeAsync(4_000);
  expect(posts).toHaveLength(1);
  await posts[0]?.answer(false);
  await vi.advanceTimersByTimeAsync(25);
  tell(courier, "once more");
  expect(posts).toHaveLength(2);
  await posts[1]?.answer(false);
  await vi.advanceTimersByTimeAsync(900);
  expect(posts).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(200);
  expect(posts[2]?.lines).toEqual(["once more"]);
});

test("what is held is bounded by what it weighs, and the newest is always held", async () => {
  const { courier, posts } = await opened();
  tell(courier, "older", HELD_LENGTH / 2);
  tell(courier, "old", HELD_LENGTH / 2 + 1, 3);
  tell(courier, "newest", HELD_LENGTH * 2);
  await vi.advanceTimersByTimeAsync(60);
  expect(posts[0]?.lines).toEqual(["lost 4", "newest"]);
});

test("whoever was to send is gone with its request: the next event sends", async () => {
  const { courier, posts } = start();
  // Its timers never ring.
  vi.spyOn(globalThis, "setTimeout").mockImplementationOnce(() => 0 as never);
  tell(courier, "first");
  await vi.advanceTimersByTimeAsync(2_000);
  expect(posts).toHaveLength(0);
  tell(courier, "second");
  await vi.advanceTimersByTimeAsync(1_100);
  expect(posts.map(({ lines }) => lines)).toEqual([["first", "second"]]);
});

test("a farewell sends at once, and waits for what others have under way", async () => {
  const { courier, posts } = await opened();
  tell(courier, "under way");
  await vi.advanceTimersByTimeAsync(60);
  tell(courier, "held");
  let isOver = false;
  const over = courier.flush().then(() => (isOver = true));
  await settled();
  expect(posts.map(({ lines }) => lines)).toEqual([["under way"], ["held"]]);
  await posts[1]?.answer(true);
  await vi.advanceTimersByTimeAsync(10);
  expect(isOver).toBe(false);
  await posts[0]?.answer(true);
  await vi.advanceTimersByTimeAsync(10);
  await over;
});

test("nobody looks: the first of a pause are told, and the newest of what was skipped", async () => {
  const { courier, posts } = start();
  tell(courier, "before", 1, 200);
  expect(courier.isSated).toBe(true);
  for (let n = 1; n <= 5; n += 1) courier.skip(3, Date.now(), () => ({ line: `skipped ${n}`, weight: 1, events: 3 }));
  await vi.advanceTimersByTimeAsync(1_000);
  // The newest alone was put together; nothing else is missing without being counted.
  expect(posts[0]?.lines).toEqual(["lost 212", "skipped 5"]);
  await posts[0]?.answer(false);
  tell(courier, "of the next pause");
  expect(courier.isSated).toBe(false);
});

test("what was skipped stands before what is told after it", async () => {
  const { courier, posts } = start();
  tell(courier, "first", 1, 200);
  courier.skip(1, Date.now(), () => ({ line: "skipped", weight: 1, events: 1 }));
  tell(courier, "second");
  await vi.advanceTimersByTimeAsync(1_000);
  expect(posts[0]?.lines).toEqual(["lost 200", "skipped", "second"]);
});

test("somebody looks: so many of a second are told, however few come behind it", async () => {
  const { courier, posts } = await opened();
  for (let n = 0; n < 1_999; n += 1) tell(courier, `${n}`);
  expect(courier.isSated).toBe(false);
  tell(courier, "last");
  expect(courier.isSated).toBe(true);
  courier.skip(7, Date.now());
  await vi.advanceTimersByTimeAsync(999);
  expect(posts.flatMap(({ lines }) => lines)).toHaveLength(2_001);
  expect(posts[0]?.lines[0]).toBe("lost 7");
  expect(courier.isSated).toBe(true);
  // Nothing has come since.
  await vi.advanceTimersByTimeAsync(1);
  expect(courier.isSated).toBe(false);
});

test("who begins to look is told of what comes, and what was skipped starts the next batch", async () => {
  const { courier, posts } = start();
  tell(courier, "first", 1, 200);
  await vi.advanceTimersByTimeAsync(1_000);
  courier.skip(1, Date.now(), () => ({ line: "skipped", weight: 1, events: 1 }));
  await posts[0]?.answer(true);
  expect(courier.isSated).toBe(false);
  await vi.advanceTimersByTimeAsync(60);
  expect(posts[1]?.lines).toEqual(["skipped"]);
});
