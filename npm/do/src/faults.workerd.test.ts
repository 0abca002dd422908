import { afterAll, beforeAll, expect, test } from "vitest";

import { TOKEN } from "../testing/admin-client.ts";
import { appEntry, code, inspect, NAMESPACES, result } from "../testing/client.ts";
import { inspectApp, refusal } from "../testing/inspect-client.ts";
import type { Loose } from "../testing/loose.ts";
import { SocketClient } from "../testing/socket-client.ts";
import { TapListener } from "../testing/tap-listener.ts";
import { TestWorker } from "../testing/workerd.ts";

let listener: TapListener;
let worker: TestWorker;

beforeAll(async () => {
  listener = await TapListener.start();
  worker = await TestWorker.start({
    entry: appEntry("tapped"),
    namespaces: NAMESPACES,
    variables: { LUNORA_ADMIN_TOKEN: TOKEN },
    tap: listener.path,
  });
  await result(worker, "tapped:add", { channel: "first", text: "the shard begins" });
});

afterAll(async () => {
  await worker?.stop();
  await listener?.stop();
});

const ROOT = { object: "__root__" };

const inject = (fault: string, fields: object = ROOT): Promise<Loose> =>
  inspectApp(worker, "fault", { fault, ...fields });

/** Events of what is done from here on. */
function told(): (fault: string, state: string) => Promise<Loose> {
  const from = listener.events.length;
  return (fault, state) =>
    listener.next((event) => event.type === "fault" && event.fault === fault && event.state === state, from);
}

let clients = 0;

/** A client that listens to a channel, with the id that its socket is told by. */
async function listen(channel: string, caps: string[] = ["batch"]): Promise<{ client: SocketClient; socket: string }> {
  const clientId = `client ${(clients += 1)}`;
  const client = await SocketClient.connect(worker, { clientId, caps });
  client.send({ type: "shape_subscribe", id: "shape", shape: { name: "channel", args: { channel } } });
  await client.next((frame) => frame.type === "pokeEnd");
  const { sockets } = await inspectApp(worker, "clients", ROOT);
  return { client, socket: sockets.find((one: Loose) => one.clientId === clientId).socket };
}

const add = (channel: string, text: string): Promise<Loose> => result(worker, "tapped:add", { channel, text });

/** Texts of rows that came, in the order of their coming. */
const texts = ({ frames }: SocketClient): string[] =>
  frames.flatMap((frame) => (frame.rowsPatch ?? []).map(({ value }: Loose) => value.text));

const hasText = (text: string) => (frame: Loose) => frame.rowsPatch?.some(({ value }: Loose) => value.text === text);

test("a socket that is dropped is closed as one whose server goes", async () => {
  const event = told();
  const { client, socket } = await listen("dropped");
  expect(await inject("dropSocket", { ...ROOT, socket })).toEqual({ state: "happened", details: {} });
  expect((await client.closed).code).toBe(1012);
  expect(await event("dropSocket", "happened")).toMatchObject({ ...ROOT, socket, by: "user", details: {} });
  await listener.next((one) => one.type === "socket" && one.state === "closed" && one.socket === socket);
  expect(await refusal(worker, "fault", { fault: "dropSocket", ...ROOT, socket })).toBe("NOT_FOUND");
});

test.each([
  ["nothing of it", 0, []],
  ["its start", 1, ["pokeStart"]],
  ["all but its end", 2, ["pokeStart", "pokePart"]],
  ["all of it", 9, ["pokeStart", "pokePart", "pokeEnd"]],
])("of a poke that is cut %s arrives, and then the socket closes", async (_, afterFrames, types) => {
  const event = told();
  const { client, socket } = await listen("cut");
  const { client: other } = await listen("cut");
  const from = client.frames.length;
  const by = { kind: "chaos", seed: 42, step: 7 };
  expect(await inject("cutPoke", { ...ROOT, socket, afterFrames, by })).toEqual({
    state: "armed",
    details: { afterFrames },
  });
  const armed = await event("cutPoke", "armed");
  expect(armed).toMatchObject({ ...ROOT, socket, by: "chaos", seed: 42, step: 7, details: { afterFrames } });
  const text = `cut after ${afterFrames}`;
  await add("cut", text);
  expect((await client.closed).code).toBe(1012);
  expect(client.frames.slice(from).map(({ type }) => type)).toEqual(types);
  await other.next(hasText(text));
  expect(await event("cutPoke", "happened")).toMatchObject({
    socket,
    by: "chaos",
    seed: 42,
    step: 7,
    details: { sent: types.length, lost: 3 - types.length },
  });
  other.close();
});

test("delayed pokes come late, in their order, and what follows comes behind them", async () => {
  const event = told();
  const { client } = await listen("late");
  const { client: other } = await listen("late");
  expect(await inject("delayPokes", { ...ROOT, ms: 400, count: 2 })).toEqual({
    state: "armed",
    details: { ms: 400, count: 2 },
  });
  const since = Date.now();
  for (const text of ["one", "two", "three"]) await add("late", text);
  await client.next(hasText("one"));
  // Two clocks may be a millisecond apart.
  expect(Date.now() - since).toBeGreaterThanOrEqual(400 - 2);
  for (const one of [client, other]) {
    await one.next(hasText("three"));
    expect(texts(one)).toEqual(["one", "two", "three"]);
  }
  expect(await event("delayPokes", "happened")).toMatchObject({ ...ROOT, details: { ms: 400, sockets: 2, left: 1 } });
  await listener.until(() =>
    listener.events.find(
      ({ fault, state, details }) => fault === "delayPokes" && state === "happened" && details.left === 0,
    ),
  );
  // Nothing is delayed any more.
  const { frames } = client;
  const from = frames.length;
  await add("late", "four");
  await client.next(hasText("four"), from);
  for (const one of [client, other]) one.close();
});

test("an object does not fall asleep over pokes that are late", async () => {
  const { client } = await listen("asleep");
  // The platform destroys an object that has had no event for 10 seconds.
  await inject("delayPokes", { ...ROOT, ms: 14_000 });
  await add("asleep", "late");
  await client.next(hasText("late"));
  client.close();
});

test("two pokes change places", async () => {
  const event = told();
  const { client, socket } = await listen("swapped");
  expect(await inject("swapFrames", { ...ROOT, socket })).toEqual({ state: "armed", details: {} });
  for (const text of ["one", "two", "three"]) await add("swapped", text);
  await client.next(hasText("three"));
  expect(texts(client)).toEqual(["two", "one", "three"]);
  expect(await event("swapFrames", "happened")).toMatchObject({ ...ROOT, socket, details: { isExchanged: true } });
  client.close();
});

test("the first of two pokes is let go when no second one comes", async () => {
  const event = told();
  const { client, socket } = await listen("single");
  await inject("swapFrames", { ...ROOT, socket });
  await add("single", "one");
  await client.next(hasText("one"));
  expect(await event("swapFrames", "happened")).toMatchObject({ socket, details: { isExchanged: false } });
  client.close();
});

test("parts of a poke change places for who takes no batches", async () => {
  const { client, socket } = await listen("parts", []);
  await inject("swapFrames", { ...ROOT, socket });
  const from = client.frames.length;
  await add("parts", "one");
  await client.next(({ type }) => type === "pokeEnd", from);
  expect(client.frames.slice(from).map(({ type }) => type)).toEqual(["pokePart", "pokeStart", "pokeEnd"]);
  client.close();
});

test("the log is trimmed under who reads it, who is told everything anew", async () => {
  const event = told();
  const { client } = await listen("trimmed");
  const first = client.frames.find(({ type }) => type === "pokeEnd");
  for (const text of ["one", "two", "three"]) await add("trimmed", text);
  const { head } = (await inspectApp(worker, "shard", ROOT)).log;
  expect((await inject("trimLog", { ...ROOT, to: head - 1 })).details).toEqual({ to: head - 1, floor: head - 1, head });
  expect((await inject("trimLog")).details).toEqual({ to: head, floor: head, head });
  expect(await event("trimLog", "happened")).toMatchObject({ details: { to: head - 1 } });
  expect((await inspectApp(worker, "shard", ROOT)).log).toMatchObject({ floor: head, head });
  // Who is there goes on.
  await add("trimmed", "four");
  await client.next(hasText("four"));
  client.close();
  const again = await SocketClient.connect(worker);
  const { checkpoint, epoch } = first;
  again.send({
    type: "shape_subscribe",
    id: "shape",
    shape: { name: "channel", args: { channel: "trimmed" } },
    checkpoint,
    epoch,
  });
  const part = await again.next(({ type }) => type === "pokePart");
  expect(part.reset).toBe(true);
  expect(texts(again)).toEqual(["one", "two", "three", "four"]);
  again.close();
});

test("an object that is evicted loses its memory and its sockets, and nothing that was written", async () => {
  const event = told();
  const { client } = await listen("evicted");
  await add("evicted", "before");
  const constructed = await inspect(worker, "constructed", null);
  expect(await inject("evict")).toEqual({ state: "happened", details: {} });
  await client.closed;
  expect(await inspect(worker, "constructed", null)).toBe(constructed + 1);
  expect(await result(worker, "tapped:list", { channel: "evicted" })).toMatchObject([{ text: "before" }]);
  expect(await event("evict", "happened")).toMatchObject({ ...ROOT, by: "user" });
});

test("a region that fails is not reached until its time is over", async () => {
  const event = told();
  expect(await inject("failRegion", { region: null, ms: 60_000 })).toEqual({
    state: "happened",
    details: { ms: 60_000 },
  });
  expect(await code(worker, "tapped:list", { channel: "first" })).toBe("SHARD_ERROR");
  expect(await code(worker, "tapped:add", { channel: "first", text: "lost" })).toBe("SHARD_ERROR");
  await expect(SocketClient.open(worker)).rejects.toThrow("HTTP 503");
  expect(await event("failRegion", "happened")).toMatchObject({ region: null, by: "user", details: { ms: 60_000 } });
  // Another region is another one.
  await inject("failRegion", { region: "eu", ms: 0 });
  expect(await code(worker, "tapped:list", { channel: "first" })).toBe("SHARD_ERROR");
  await inject("failRegion", { ms: 0 });
  expect(await result(worker, "tapped:list", { channel: "first" })).toMatchObject([{ text: "the shard begins" }]);
  await inject("failRegion", { region: null, ms: 300 });
  await expect
    .poll(
      async () =>
        (
          await worker.fetch("/_lunora/rpc", {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ functionPath: "tapped:list", args: { channel: "first" } }),
          })
        ).status,
      { timeout: 30_000 },
    )
    .toBe(200);
});

test.each([
  ["an unknown fault", { fault: "lag", ...ROOT }],
  ["no socket", { fault: "dropSocket", ...ROOT }],
  ["frames that are no number", { fault: "cutPoke", ...ROOT, socket: "x", afterFrames: "1" }],
  ["too long a delay", { fault: "delayPokes", ...ROOT, ms: 30_001 }],
  ["too many pokes", { fault: "delayPokes", ...ROOT, ms: 1, count: 101 }],
  ["too long an outage", { fault: "failRegion", ms: 60_001 }],
  ["an outage of one object", { fault: "failRegion", ...ROOT, ms: 1 }],
  ["an eviction of no object", { fault: "evict" }],
  ["a chaos without a step", { fault: "evict", ...ROOT, by: { kind: "chaos", seed: 1 } }],
  ["somebody else", { fault: "evict", ...ROOT, by: "chaos" }],
])("%s is refused", async (_, body) => {
  expect(await refusal(worker, "fault", body)).toBe("BAD_REQUEST");
});

test("a shard that never was is not disturbed, nor made", async () => {
  expect(await refusal(worker, "fault", { fault: "evict", object: "room=none" })).toBe("SHARD_NOT_FOUND");
});

test("an app that nobody observes refuses all of it", async () => {
  const plain = await TestWorker.start({
    entry: appEntry("tapped"),
    namespaces: NAMESPACES,
    variables: { LUNORA_ADMIN_TOKEN: TOKEN },
  });
  try {
    for (const body of [{ fault: "evict", ...ROOT }, { fault: "failRegion", ms: 1 }, {}])
      expect(await refusal(plain, "fault", body)).toBe("FAULTS_UNAVAILABLE");
  } finally {
    await plain.stop();
  }
});
