import { setTimeout as pause } from "node:timers/promises";

import { encodeValue, SUBPROTOCOL } from "@lunora/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";

import { appEntry, NAMESPACES } from "../testing/client.ts";
import type { Loose } from "../testing/loose.ts";
import { RoomClient } from "../testing/room-client.ts";
import { TestWorker } from "../testing/workerd.ts";

let worker: TestWorker;

beforeAll(async () => {
  worker = await TestWorker.start({
    entry: appEntry("presence"),
    namespaces: [...NAMESPACES, { binding: "SESSION", className: "SessionDO" }],
  });
});

afterAll(() => worker?.stop());

async function inspect(method: string, room: string, kind = "rooms:open"): Promise<Loose> {
  const object = `${kind}/${encodeURIComponent(room)}`;
  const response = await worker.fetch(`/test?object=${encodeURIComponent(object)}`, {
    method: "POST",
    body: JSON.stringify({ method }),
  });
  if (!response.ok) throw new Error(worker.takeOutput());
  return response.json();
}

const enter = (room: string, name: string, token?: string): Promise<RoomClient> =>
  RoomClient.join(worker, { room, data: { name }, ...(token === undefined ? {} : { token }) });

test("members see each other come, change and go", async () => {
  const ann = await enter("hall", "Ann", "ann");
  expect(ann.joined).toMatchObject({
    type: "joined",
    members: [{ memberId: ann.memberId, userId: "ann", data: { name: "Ann" }, joinedAt: expect.any(Number) }],
  });
  const ben = await enter("hall", "Ben");
  expect(ben.joined.members.map(({ userId }: Loose) => userId)).toEqual(["ann", null]);
  await ann.until((members) => members.has(ben.memberId));
  expect(ann.members.get(ben.memberId)).toMatchObject({ userId: null, data: { name: "Ben" } });
  // Nobody is told what proves to be somebody.
  expect(JSON.stringify(ann.frames)).not.toContain(ben.joined.key);

  ben.update({ name: "Ben", note: "typing" });
  await ann.until((members) => members.get(ben.memberId)?.data.note === "typing");
  await ben.until((members) => members.get(ben.memberId)?.data.note === "typing");

  ben.send({ type: "leave" });
  expect((await ben.closed).code).toBe(1000);
  await ann.until((members) => members.size === 1);
  const eve = await enter("elsewhere", "Eve");
  expect(eve.joined.members).toHaveLength(1);
  for (const client of [ann, eve]) client.close();
});

test("a page that is left is gone at once; one whose connection breaks after its time of grace", async () => {
  const [ann, ben, cleo] = [await enter("gone", "Ann"), await enter("gone", "Ben"), await enter("gone", "Cleo")];
  await ann.until((members) => members.size === 3);
  cleo.raw.close(1001);
  await ann.until((members) => members.size === 2);
  expect(await inspect("seats", "gone")).toEqual([]);
  ben.raw.terminate();
  while ((await inspect("seats", "gone")).length === 0) await pause(10);
  expect(ann.members.size).toBe(2);
  await ann.until((members) => members.size === 1);
  expect(await inspect("seats", "gone")).toEqual([]);
  ann.raw.close(1001);
  await ann.closed;
  // Nobody is there: nothing is woken for.
  while ((await inspect("alarmTime", "gone")) !== null) await pause(20);
});

test("whoever comes back in time was never gone, and only the one who was there can", async () => {
  const [ann, ben] = [await enter("back", "Ann", "ann"), await enter("back", "Ben", "ben")];
  await ann.until((members) => members.size === 2);
  const { memberId, key } = ben.joined;
  const from = ann.frames.length;
  ben.raw.terminate();
  while ((await inspect("seats", "back")).length === 0) await pause(10);
  for (const [token, resume] of [
    ["ben", { memberId, key: "guessed" }],
    ["eve", { memberId, key }],
    ["ann", { memberId: ann.memberId, key }],
  ] as const) {
    const forger = await RoomClient.join(worker, { room: "back", token, data: { name: "F" }, resume });
    expect([memberId, ann.memberId]).not.toContain(forger.memberId);
    forger.send({ type: "leave" });
    await forger.closed;
  }
  const again = await RoomClient.join(worker, {
    room: "back",
    token: "ben",
    data: { name: "Ben", note: "back" },
    resume: { memberId, key },
  });
  expect(again.memberId).toBe(memberId);
  await ann.until((members) => members.get(memberId)?.data.note === "back");
  const told = ann.frames.slice(from);
  expect(told.some((frame) => frame.left?.includes(memberId) === true)).toBe(false);
  expect(told.some((frame) => frame.joined?.some((one: Loose) => one.memberId === memberId) === true)).toBe(false);
  expect(again.members.get(memberId)).toMatchObject({ joinedAt: ben.joined.members[1].joinedAt });
  for (const client of [ann, again]) client.close();
});

test("a member that comes back before its connection was seen to break takes its place", async () => {
  const [ann, ben] = [await enter("twice", "Ann"), await enter("twice", "Ben")];
  const { memberId, key } = ben.joined;
  const again = await RoomClient.join(worker, { room: "twice", data: { name: "Ben" }, resume: { memberId, key } });
  expect((await ben.closed).code).toBe(1000);
  expect([again.memberId, again.joined.members.length]).toEqual([memberId, 2]);
  await pause(100);
  expect(ann.members.size).toBe(2);
  for (const client of [ann, again]) client.close();
});

test("what is said of oneself is validated and bounded; who is refused stays what they were", async () => {
  const ann = await enter("data", "Ann");
  for (const [data, code] of [
    [{ name: 5 }, "VALIDATION_ERROR"],
    [{}, "VALIDATION_ERROR"],
    [{ name: "x".repeat(5_000) }, "PAYLOAD_TOO_LARGE"],
    [{ name: "é".repeat(2_500) }, "PAYLOAD_TOO_LARGE"],
  ] as const) {
    const id = ann.update(data);
    expect((await ann.next((frame) => frame.type === "error" && frame.id === id)).error.code).toBe(code);
  }
  ann.update({ name: "Ann", at: 5n });
  await ann.until((members) => members.get(ann.memberId)?.data.at !== undefined);
  const late = await enter("data", "Late");
  expect(late.members.get(ann.memberId)?.data).toEqual(encodeValue({ name: "Ann", at: 5n }));
  const wrong = await RoomClient.open(worker, { room: "data" });
  wrong.send({ type: "join", id: "j", data: { name: 1 } });
  expect((await wrong.next((frame) => frame.type === "error")).error.code).toBe("VALIDATION_ERROR");
  wrong.send({ type: "join", id: "k", data: { name: "ok" } });
  await wrong.next((frame) => frame.type === "joined");
  for (const client of [ann, late, wrong]) client.close();
});

test("updates are rated, and told together", async () => {
  const [ann, ben] = [await enter("rates", "Ann"), await enter("rates", "Ben")];
  const from = ben.frames.length;
  for (let index = 0; index < 60; index += 1) ann.update({ name: `Ann ${index}` });
  const refused = await ann.next((frame) => frame.type === "error");
  expect(refused.error).toMatchObject({ code: "RATE_LIMITED", data: { perSecond: 20 } });
  await ben.until((members) => members.get(ann.memberId)?.data.name.startsWith("Ann ") === true);
  await pause(200);
  expect(ben.frames.slice(from).filter((frame) => frame.updated !== undefined).length).toBeLessThan(20);
  expect(ben.members.get(ann.memberId)?.data).toEqual(ann.members.get(ann.memberId)?.data);
  for (const client of [ann, ben]) client.close();
});

test.each([
  ["not JSON", "{", 1008],
  ["no frame", '{"type":"hello"}', 1008],
  ["an update before joining", '{"type":"update","id":"1","data":{}}', 1008],
  ["a frame that is too long", JSON.stringify({ type: "join", id: "1", data: "x".repeat(20_000) }), 1009],
])("%s is told and closes", async (_, text, code) => {
  const client = await RoomClient.open(worker, { room: "frames" });
  client.send(text);
  expect((await client.closed).code).toBe(code);
  expect(client.frames.at(-1)).toMatchObject({ type: "error", error: { code: expect.stringMatching(/^FRAME_/) } });
});

test("a second `join` closes", async () => {
  const client = await enter("second", "Ann");
  client.send({ type: "join", id: "2", data: { name: "Ann" } });
  expect((await client.closed).code).toBe(1008);
});

test.each([
  ["rooms:asks", "ann", "ann", 0],
  ["rooms:asks", "ann", "ben", 4403],
  ["rooms:asks", "ann", undefined, 4403],
  ["rooms:closed", "any", "root", 4403],
  ["rooms:open", "any", "old~-5", 4001],
])("%s, room %s, as %s", async (path, room, token, code) => {
  const client = await RoomClient.open(worker, { path, room, ...(token === undefined ? {} : { token }) });
  if (code === 0) {
    client.send({ type: "join", id: "j", data: { name: "x" } });
    await client.next((frame) => frame.type === "joined");
    client.close();
  } else {
    expect((await client.closed).code).toBe(code);
    expect(client.frames).toEqual([{ type: "error", error: expect.objectContaining({ code: expect.any(String) }) }]);
  }
});

test("what cannot be a room, and pages of others", async () => {
  const status = (query: string, init?: RequestInit): Promise<number> =>
    worker.fetch(`/_lunora/presence${query}`, init).then((response) => response.status);
  expect(await status("?path=rooms:open&room=x")).toBe(426);
  const refusal = (query: string, headers: Record<string, string> = {}): Promise<number> =>
    new Promise((resolve) => {
      const socket = new WebSocket(`${worker.origin.replace("http", "ws")}/_lunora/presence${query}`, [SUBPROTOCOL], {
        headers,
      });
      socket.on("unexpected-response", (_, response) => resolve(response.statusCode ?? 0));
      socket.on("open", () => resolve(101));
      socket.on("error", () => {});
    });
  expect(await refusal("?path=rooms:none&room=x")).toBe(404);
  expect(await refusal("?path=rooms:open")).toBe(400);
  expect(await refusal(`?path=rooms:open&room=${"x".repeat(1025)}`)).toBe(400);
  expect(await refusal("?path=__proto__&room=x")).toBe(404);
  expect(await refusal("?path=rooms:open&room=x", { origin: "https://evil.example" })).toBe(403);
});

test("a token that expires closes with 4001, without a word from anybody", async () => {
  const ann = await enter("tokens", "Ann");
  const ben = await enter("tokens", "Ben", "ben~1.5");
  await ann.until((members) => members.size === 2);
  expect((await ben.closed).code).toBe(4001);
  await ann.until((members) => members.size === 1);
  ann.close();
});

test("a member that says nothing, no ping either, is gone in time; pings keep it", async () => {
  const [ann, ben] = [await enter("silence", "Ann"), await enter("silence", "Ben")];
  const mute = await RoomClient.open(worker, { room: "silence" });
  await ann.until((members) => members.size === 2);
  const ping = setInterval(() => ann.send("lunora-ping"), 500);
  await ann.until((members) => members.size === 1);
  expect([ben.hasClosed, ann.hasClosed]).toEqual([true, false]);
  // One that never joined is closed as well.
  while (mute.raw.readyState === WebSocket.OPEN) await pause(10);
  mute.raw.terminate();
  clearInterval(ping);
  ann.close();
});

/** The platform destroys an object that has had no event for 10 seconds. */
const SLEEP = 13_000;

/** Another worker, where nobody is taken for dead within a minute. */
async function patient(run: (worker: TestWorker) => Promise<void>): Promise<void> {
  const other = await TestWorker.start({
    entry: appEntry("presence"),
    namespaces: [...NAMESPACES, { binding: "SESSION", className: "SessionDO" }],
    define: { SILENCE: "60_000" },
  });
  try {
    await run(other);
  } finally {
    await other.stop();
  }
}

test("members outlive the object's sleep; pings do not wake it", () =>
  patient(async (slept) => {
    const at = { room: "sleep", token: "ann" };
    const ann = await RoomClient.join(slept, { ...at, data: { name: "Ann" } });
    const ben = await RoomClient.join(slept, { ...at, data: { name: "Ben" } });
    const object = encodeURIComponent("rooms:open/sleep");
    const constructed = async (): Promise<Loose> =>
      (await slept.fetch(`/test?object=${object}`, { method: "POST", body: '{"method":"constructed"}' })).json();
    const before = await constructed();
    const ping = setInterval(() => ann.send("lunora-ping"), 1_000);
    await pause(SLEEP);
    clearInterval(ping);
    ben.update({ name: "Ben awake" });
    await ann.until((members) => members.get(ben.memberId)?.data.name === "Ben awake");
    expect(await constructed()).toBe(before + 1);
    const cleo = await RoomClient.join(slept, { ...at, data: { name: "Cleo" } });
    expect(cleo.joined.members.map(({ data }: Loose) => data.name).toSorted()).toEqual(["Ann", "Ben awake", "Cleo"]);
    for (const client of [ann, ben, cleo]) client.close();
  }));

test("a room has at most 500 members, one more is told, and all of them are told of all", () =>
  patient(async (other) => {
    // Those who come last have more to say, so that it is sent less often.
    const come = (index: number): Promise<RoomClient> =>
      RoomClient.join(other, {
        room: "full",
        data: { name: `${index}`, note: index < 350 ? "" : "x".repeat(3_500) },
      });
    const members: RoomClient[] = [];
    for (let index = 0; index < 500; index += 50)
      members.push(...(await Promise.all(Array.from({ length: 50 }, (_, n) => come(index + n)))));
    const client = await RoomClient.open(other, { room: "full" });
    client.send({ type: "join", id: "j", data: { name: "one more" } });
    expect((await client.next((frame) => frame.type === "error")).error.code).toBe("ROOM_FULL");
    expect((await client.closed).code).toBe(1013);
    members[0]?.send({ type: "leave" });
    await members[0]?.closed;
    const next = await come(500);
    // More than one frame holds.
    expect(next.joined.members.length).toBeLessThan(500);
    await next.until((known) => known.size === 500);
    for (const member of [...members, next]) member.raw.terminate();
  }));
