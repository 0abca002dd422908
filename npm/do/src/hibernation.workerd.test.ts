import { setTimeout as pause } from "node:timers/promises";

import { afterAll, beforeAll, expect, test } from "vitest";

import { appEntry, inspect, NAMESPACES } from "../testing/client.ts";
import { SocketClient } from "../testing/socket-client.ts";
import { TestWorker } from "../testing/workerd.ts";

let worker: TestWorker;

beforeAll(async () => {
  worker = await TestWorker.start({ entry: appEntry("live"), namespaces: NAMESPACES });
});

afterAll(() => worker?.stop());

/** The platform destroys an object that has had no event for 10 seconds. */
const SLEEP = 13_000;

test("sockets outlive the object's sleep with identity, sequence, subscriptions and topics", async () => {
  const small = await SocketClient.connect(worker, { clientId: "small", caps: ["batch"] }, { token: "ann" });
  const large = await SocketClient.connect(worker, { clientId: "large" }, { token: "ben" });
  const subscribe = (id: string): object => ({
    type: "subscribe",
    id,
    query: { functionPath: "live:list", args: {} },
  });
  small.send(subscribe("list"));
  small.send({ type: "whisper_subscribe", topic: "t" });
  // Too much for an attachment of 16 KiB.
  const ids = Array.from({ length: 300 }, (_, index) => `list ${index} ${"x".repeat(60)}`);
  for (const id of ids) large.send(subscribe(id));
  await small.next((frame) => frame.type === "data" && frame.id === "list");
  await large.next((frame) => frame.type === "data" && frame.id === ids.at(-1));
  await small.push("small", [{ clientSeq: 1, functionPath: "live:add", args: { text: "before" } }]);
  // Soon, when nothing else is under way.
  while ((await inspect(worker, "sql", "SELECT count(*) AS n FROM __socket_subscription"))[0].n !== ids.length)
    await pause(10);
  const constructed = await inspect(worker, "constructed", null);

  await pause(SLEEP);
  // Answered for the object, which goes on sleeping.
  small.send("lunora-ping");
  await small.next((frame) => frame === "lunora-pong");

  const [fromSmall, fromLarge] = [small.frames.length, large.frames.length];
  const ack = await small.push("small", [
    { clientSeq: 2, functionPath: "live:whoAmI" },
    { clientSeq: 3, functionPath: "live:add", args: { text: "after" } },
    { clientSeq: 3, functionPath: "live:add", args: { text: "again" } },
  ]);
  expect(ack.results[0]).toEqual({ clientSeq: 2, result: { userId: "ann" } });
  expect(ack.results[2]).toEqual({ clientSeq: 3, result: ack.results[1].result });
  expect(await inspect(worker, "constructed", null)).toBe(constructed + 1);

  // The push was the first thing after sleep, and yet everybody was told of it.
  const told = await small.next((frame) => frame.id === "list" && frame.type === "data", fromSmall);
  expect(told.data).toEqual(["before", "after"]);
  // Its effect came before its ack.
  expect(small.frames.indexOf(told)).toBeLessThan(small.frames.indexOf(ack));
  for (const id of ids)
    expect((await large.next((frame) => frame.id === id && frame.type === "data", fromLarge)).data).toEqual([
      "before",
      "after",
    ]);
  large.send({ type: "whisper", topic: "t", data: "awake" });
  expect(await small.next((frame) => frame.type === "whisper")).toMatchObject({ data: "awake", from: "ben" });

  large.close();
  await large.closed;
  await small.push("small", [{ clientSeq: 4, functionPath: "live:whoAmI" }]);
  expect(await inspect(worker, "sql", "SELECT count(*) AS n FROM __socket_subscription")).toEqual([{ n: 0 }]);
  small.close();
});
