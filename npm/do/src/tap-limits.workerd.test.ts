import { afterEach, expect, test } from "vitest";

import { appEntry, NAMESPACES, result } from "../testing/client.ts";
import type { Loose } from "../testing/loose.ts";
import { SocketClient } from "../testing/socket-client.ts";
import { TapListener } from "../testing/tap-listener.ts";
import { TestWorker } from "../testing/workerd.ts";

let listener: TapListener;
let worker: TestWorker;

afterEach(async () => {
  await worker?.stop();
  await listener?.stop();
});

async function start(tap: TapListener): Promise<void> {
  listener = tap;
  worker = await TestWorker.start({ entry: appEntry("tapped"), namespaces: NAMESPACES, tap: tap.path });
}

const CALLS = 3_000;
const AT_ONCE = 50;

/** Many calls, a bounded number at a time; every one has to be answered. */
async function run(count: number, text = "x"): Promise<void> {
  for (let done = 0; done < count; done += AT_ONCE)
    await Promise.all(
      Array.from({ length: AT_ONCE }, (_, n) => result(worker, "tapped:add", { channel: `c${done + n}`, text })),
    );
}

const dropped = (events: readonly Loose[]): number =>
  events.filter(({ type }) => type === "dropped").reduce((sum, { count }) => sum + count, 0);

const commits = (events: readonly Loose[]): Loose[] =>
  events.filter(({ type }) => type === "commit").flatMap(({ changes }) => changes);

test("an inspector that is not there disturbs nobody, and hears the newest once it is", async () => {
  await start(await TapListener.create());
  await run(CALLS);
  await listener.listen();
  await result(worker, "tapped:add", { channel: "last", text: "after" });
  await listener.next((event) => event.type === "call" && event.args.includes("last"));
  expect(dropped(listener.events)).toBeGreaterThan(0);
  // Some of before, and no more than are kept while nobody looks; the newest is what was waited for.
  const told = listener.events.filter(({ type }) => type !== "dropped");
  expect(told.length).toBeLessThanOrEqual(210);
  expect(told.filter(({ type }) => type === "call").length).toBeGreaterThan(20);
});

test("nobody looks: few posts, the newest events, and what was let go is counted", async () => {
  const tap = await TapListener.start();
  tap.isOpen = false;
  await start(tap);
  const since = Date.now();
  await run(CALLS);
  const seconds = (Date.now() - since) / 1_000;
  await result(worker, "tapped:add", { channel: "last", text: "after" });
  await listener.next((event) => event.type === "call" && event.args.includes("last"));
  // One a second, the first at once.
  expect(listener.heads.length).toBeLessThanOrEqual(seconds + 4);
  expect(dropped(listener.events)).toBeGreaterThan(0);
  // Nothing is missing without being counted: a request, a call and a commit of each mutation.
  const told = listener.events.filter(({ type }) => type === "call").length;
  expect(told).toBeLessThan(CALLS);
});

test("who is about to be ended is asked to tell what it holds, and has then told it", async () => {
  const tap = await TapListener.start();
  tap.isOpen = false;
  await start(tap);
  await result(worker, "tapped:add", { channel: "first", text: "told at once" });
  await tap.until(() => tap.heads.length > 0);
  await result(worker, "tapped:add", { channel: "last", text: "a moment before the end" });
  const { status } = await worker.fetch("/_lunora/tap", { method: "POST" });
  expect(status).toBe(204);
  // Nothing is waited for: nobody would be there any more.
  expect(tap.events.some((event) => event.type === "commit" && JSON.stringify(event).includes("before the end"))).toBe(
    true,
  );
});

for (const manner of ["hangs", "stopsReading"] as const)
  test(`an inspector that ${manner} keeps nobody waiting, and memory is bounded`, async () => {
    const tap = await TapListener.start();
    await start(tap);
    await run(AT_ONCE);
    await tap.until(() => tap.heads.length > 0);
    tap.manner = manner;
    const begun = tap.begun;
    // 20,000 characters a mutation, of which 8,192 and 4,096 are kept.
    await run(CALLS, "y".repeat(20_000));
    // One post is under way at a time; each is given up after five seconds.
    expect(tap.begun - begun).toBeLessThanOrEqual(40);
    tap.manner = "answers";
    await tap.until(() => dropped(tap.events) > 0);
    expect(Math.max(...tap.lengths)).toBeLessThan(3_000_000);
    await result(worker, "tapped:add", { channel: "last", text: "after" });
    await tap.next((event) => event.type === "call" && event.args.includes("last"));
  });

test("requests that are broken off do not take along what is told", async () => {
  await start(await TapListener.start());
  for (let round = 0; round < 20; round += 1) {
    const given = new AbortController();
    const broken = worker.fetch("/_lunora/rpc", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ functionPath: "tapped:slow", args: { ms: 30 } }),
      signal: given.signal,
    });
    setTimeout(() => given.abort(), 10);
    await expect(broken).rejects.toThrow(/abort/);
    await result(worker, "tapped:add", { channel: "b", text: `round ${round}` });
  }
  // Whoever was to send them may be gone: the next event sends them.
  const last = (): boolean => commits(listener.events).length === 20;
  while (!last()) {
    await result(worker, "tapped:list", { channel: "b" });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(dropped(listener.events)).toBe(0);
});

test("somebody looks: everything arrives, once", async () => {
  await start(await TapListener.start());
  await run(AT_ONCE);
  await listener.until(() => listener.heads.length > 0);
  const rounds = 10;
  for (let round = 0; round < rounds; round += 1) {
    await run(AT_ONCE);
    const expected = AT_ONCE * (round + 2);
    await listener.until(() => commits(listener.events).length >= expected);
  }
  expect(dropped(listener.events)).toBe(0);
  const seqs = commits(listener.events).map(({ seq }) => seq);
  expect(seqs).toEqual(Array.from({ length: AT_ONCE * (rounds + 1) }, (_, n) => n + 1));
});

test("somebody looks: of more than a second's share each commit is told, and later again every call", async () => {
  await start(await TapListener.start());
  await result(worker, "tapped:add", { channel: "first", text: "x" });
  await listener.until(() => listener.heads.length > 0);
  // Lines are told whatever there is of them; the commit that comes behind them in the same second is one too many.
  await result(worker, "tapped:chatter", { lines: 2_000 });
  await listener.until(() => listener.events.some(({ omittedCalls }) => omittedCalls === 1));
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await result(worker, "tapped:add", { channel: "last", text: "x" });
  await listener.next((event) => event.type === "call" && event.args.includes("last"));
  expect(listener.events.filter(({ type }) => type === "log")).toHaveLength(2_000);
  const told = listener.events.filter(({ type }) => type === "commit");
  expect(told.map(({ fromSeq, toSeq, calls }) => [fromSeq, toSeq, calls.length])).toEqual([
    [0, 1, 1],
    [1, 2, 0],
    [2, 3, 1],
  ]);
  // The call and the request of the one in the middle, at least.
  expect(dropped(listener.events)).toBeGreaterThan(0);
});

test("lines belong to the calls that wrote them, also once the second has had its share", async () => {
  await start(await TapListener.start());
  const client = await SocketClient.connect(worker, { clientId: "many", caps: ["batch"] });
  await result(worker, "tapped:add", { channel: "first", text: "x" });
  await listener.until(() => listener.heads.length > 0);
  const said = Array.from({ length: 11 }, (_, index) => `said member ${index} {"in":"mutation"}`);
  await client.push("many", [
    { clientSeq: 1, functionPath: "tapped:chatter", args: { lines: 2_000 } },
    ...said.map((_, index) => ({
      clientSeq: index + 2,
      functionPath: "tapped:say",
      args: { text: `member ${index}` },
    })),
  ]);
  const lines = (): Loose[] => listener.events.filter(({ type, text }) => type === "log" && said.includes(text));
  await listener.until(() => lines().length === said.length);
  expect(lines()).toMatchObject(said.map((text) => ({ text, functionPath: "tapped:say", object: "__root__" })));
  expect(new Set(lines().map(({ call }) => call)).size).toBe(said.length);
});

test("nobody looks: the newest group of a busy second has calls with names", async () => {
  const tap = await TapListener.start();
  tap.isOpen = false;
  await start(tap);
  const client = await SocketClient.connect(worker, { clientId: "many", caps: ["batch"] });
  const last = 500;
  // One push after the other: all but the first groups of a second are passed over.
  for (let from = 1; from <= last; from += 20)
    await client.push(
      "many",
      Array.from({ length: 20 }, (_, index) => ({
        clientSeq: from + index,
        functionPath: "tapped:add",
        args: { channel: "busy", text: `number ${from + index}` },
      })),
    );
  const isLast = ({ type, clientSeq }: Loose): boolean => type === "call" && clientSeq === last;
  const told = await tap.until(() => tap.events.find(isLast));
  expect(dropped(tap.events)).toBeGreaterThan(0);
  const calls = tap.events.filter(({ type }) => type === "call").map(({ call }) => call);
  expect(told.call).not.toBe("");
  expect(new Set(calls).size).toBe(calls.length);
});
