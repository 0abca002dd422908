import { afterAll, beforeAll, expect, test } from "vitest";

import { appEntry, call, code, NAMESPACES, result } from "../testing/client.ts";
import { TestWorker } from "../testing/workerd.ts";

let worker: TestWorker;

beforeAll(async () => {
  worker = await TestWorker.start({ entry: appEntry("chat"), namespaces: NAMESPACES });
});

afterAll(() => worker?.stop());

test("rows inserted over HTTP are read over HTTP, by shard and over all shards", async () => {
  const general = await result(worker, "chat:createChannel", { name: "general" });
  const random = await result(worker, "chat:createChannel", { name: "random" });
  expect(general).toMatch(/^[\w-]{22}$/);
  expect((await result(worker, "chat:listChannels")).map((row: { name: string }) => row.name)).toEqual([
    "general",
    "random",
  ]);

  const first = await result(worker, "chat:send", { channelId: general, author: "ann", body: "one" });
  await result(worker, "chat:send", { channelId: general, author: "ben", body: "two" });
  await result(worker, "chat:send", { channelId: random, author: "ann", body: "three" });
  expect(first).toMatch(/^[\w-]{22}\.[\w-]+$/);
  expect((await result(worker, "chat:list", { channelId: general })).map((row: { body: string }) => row.body)).toEqual([
    "two",
    "one",
  ]);
  const all = await result(worker, "chat:all");
  expect(all).toMatchObject({ ok: 2, failed: 0, errors: [] });
  expect(all.data.map((row: { body: string }) => row.body)).toEqual(["one", "two", "three"]);
});

test("what was acknowledged survives a killed process", async () => {
  const channel = await result(worker, "chat:createChannel", { name: "durable" });
  await result(worker, "chat:send", { channelId: channel, author: "ann", body: "kept" });
  await worker.restart();
  expect((await result(worker, "chat:list", { channelId: channel })).map((row: { body: string }) => row.body)).toEqual([
    "kept",
  ]);
});

test("a taken name, an internal function and an unknown one are coded", async () => {
  expect(await call(worker, "chat:createChannel", { name: "durable" })).toMatchObject({
    status: 400,
    error: { code: "NOT_UNIQUE", data: { table: "channels", index: "by_name", fields: ["name"] } },
  });
  expect(await code(worker, "chat:remove", { id: "x" })).toBe("FUNCTION_NOT_FOUND");
  expect(await code(worker, "chat:nothing")).toBe("FUNCTION_NOT_FOUND");
  expect(await result(worker, "chat:whoAmI", {}, { token: "ann" })).toEqual({ userId: "ann" });
});
