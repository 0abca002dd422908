import { setTimeout as pause } from "node:timers/promises";

import { decodeValue, encodeValue } from "@lunora/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";

import { appEntry, call, inspect, NAMESPACES, result } from "../testing/client.ts";
import type { Loose } from "../testing/loose.ts";
import { SocketClient } from "../testing/socket-client.ts";
import type { SocketOptions } from "../testing/socket-client.ts";
import { TestWorker } from "../testing/workerd.ts";

let worker: TestWorker;

beforeAll(async () => {
  worker = await TestWorker.start({ entry: appEntry("streams"), namespaces: NAMESPACES });
});

afterAll(() => worker?.stop());

const connect = (options: SocketOptions = {}): Promise<SocketClient> =>
  SocketClient.connect(worker, { caps: ["batch"] }, options);

function open(client: SocketClient, id: string, name: string, args: object = {}, rest: object = {}): void {
  client.send({ type: "stream", id, query: { functionPath: `streams:${name}`, args: encodeValue(args) }, ...rest });
}

const isEnd = (id: string) => (frame: Loose) =>
  frame.id === id && (frame.type === "complete" || frame.type === "error");

/** Everything that a stream brings up to its end. */
async function whole(client: SocketClient, id: string): Promise<{ chunks: Loose[]; end: Loose }> {
  const end = await client.next(isEnd(id));
  return { chunks: client.frames.filter((frame) => frame.id === id && frame.type === "chunk"), end };
}

const chunk = (client: SocketClient, id: string, data: unknown): Promise<Loose> =>
  client.next((frame) => frame.id === id && frame.type === "chunk" && frame.data === data);

/** Lets a generator yield its next chunk, as soon as it waits for that. */
async function pass(name: string): Promise<void> {
  while (!(await inspect(worker, "pass", name))) await pause(5);
}

async function until(passes: () => Promise<boolean>): Promise<void> {
  while (!(await passes())) await pause(10);
}

const seen = (name: string): Promise<Loose> => inspect(worker, "seen", name);

test("chunks arrive as they are yielded, then the end", async () => {
  const client = await connect();
  open(client, "s", "gated", { name: "plain", chunks: 2 });
  await pass("plain");
  expect(await chunk(client, "s", "plain 1")).toEqual({ type: "chunk", id: "s", data: "plain 1" });
  expect((await seen("plain")).yielded).toBe(1);
  await pass("plain");
  const { chunks, end } = await whole(client, "s");
  expect(chunks.map(({ data }) => data)).toEqual(["plain 1", "plain 2"]);
  expect(end).toEqual({ type: "complete", id: "s" });
  client.close();
});

test("values that JSON cannot hold", async () => {
  const client = await connect();
  open(client, "v", "values");
  const { chunks } = await whole(client, "v");
  expect(chunks.map(({ data }) => decodeValue(data))).toEqual([
    undefined,
    5n,
    new Date(5),
    new Uint8Array([1, 2]),
    [undefined],
  ]);
  client.close();
});

test("many chunks of one turn come together, in order", async () => {
  const client = await connect();
  open(client, "c", "count", { to: 1_000 });
  const { chunks, end } = await whole(client, "c");
  expect(chunks.map(({ data }) => data)).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1));
  expect(end.type).toBe("complete");
  expect(client.messages.length).toBeLessThan(200);
  client.close();
});

test("an error ends the stream after what came before it; the socket goes on", async () => {
  const client = await connect();
  open(client, "e", "count", { to: 5, fail: 3 });
  const { chunks, end } = await whole(client, "e");
  expect(chunks.map(({ data }) => data)).toEqual([1, 2]);
  expect(end.error).toMatchObject({ code: "CONFLICT", data: { index: 3 } });
  open(client, "w", "writes");
  const written = await whole(client, "w");
  expect(written.chunks).toHaveLength(1);
  expect(written.end.error.code).toBe("FORBIDDEN");
  open(client, "n", "notGenerator");
  expect((await whole(client, "n")).end.error.code).toBe("INTERNAL");
  open(client, "l", "count", { to: 1, size: 1_100_000 });
  expect((await whole(client, "l")).end.error.code).toBe("RESULT_TOO_LARGE");
  client.close();
});

test.each([
  ["secret", {}, "FUNCTION_NOT_FOUND"],
  ["nothing", {}, "FUNCTION_NOT_FOUND"],
  ["list", {}, "BAD_REQUEST"],
  ["count", { to: "x" }, "VALIDATION_ERROR"],
  ["room", { room: "elsewhere" }, "SHARD_MISMATCH"],
])("%s with %j is refused", async (name, args, code) => {
  const client = await connect();
  open(client, "r", name, args);
  expect((await client.next(isEnd("r"))).error.code).toBe(code);
  client.close();
});

test("a stream is no call, nor a live query, and the app's rule is asked", async () => {
  expect((await call(worker, "streams:count", { to: 1 })).error?.code).toBe("BAD_REQUEST");
  const client = await connect({ token: "outcast" });
  client.send({ type: "subscribe", id: "q", query: { functionPath: "streams:count", args: { to: 1 } } });
  expect((await client.next((frame) => frame.id === "q")).error.code).toBe("BAD_REQUEST");
  open(client, "o", "count", { to: 1 });
  expect((await client.next(isEnd("o"))).error.code).toBe("FORBIDDEN_SHARD");
  client.close();
});

test("whoever leaves ends what nobody else hears: by unsubscribing, by closing", async () => {
  const client = await connect();
  open(client, "a", "gated", { name: "left", chunks: 9 });
  open(client, "b", "gated", { name: "closed", chunks: 9 });
  for (const name of ["left", "closed"]) await pass(name);
  await chunk(client, "a", "left 1");
  await chunk(client, "b", "closed 1");
  client.send({ type: "unsubscribe", id: "a" });
  await until(async () => (await seen("left")).aborted === true);
  expect((await seen("closed")).aborted).toBeUndefined();
  await pass("left");
  await until(async () => (await seen("left")).left === true);
  client.terminate();
  await until(async () => (await seen("closed")).aborted === true);
  expect(client.frames.filter((frame) => frame.id === "a")).toHaveLength(1);
});

test("a stream that waits keeps nobody waiting, and reads what is committed by then", async () => {
  const client = await connect();
  open(client, "r", "reads", { name: "reader" });
  const first = (await client.next((frame) => frame.id === "r")).data as number;
  await result(worker, "streams:add", { text: "while it waits" });
  expect(await result(worker, "streams:list")).toHaveLength(first + 1);
  await pass("reader");
  await chunk(client, "r", first + 1);
  client.close();
});

test("it begins after the pushes that were sent before it", async () => {
  const client = await connect();
  const before = (await result(worker, "streams:list")).length as number;
  const pushed = client.push("pusher", [{ clientSeq: 1, functionPath: "streams:add", args: { text: "pushed" } }]);
  open(client, "r", "reads", { name: "after push" });
  expect((await client.next((frame) => frame.id === "r")).data).toBe(before + 1);
  await pushed;
  client.close();
});

test("policies and identity are those of the socket; `ctx` ends with the stream", async () => {
  await result(worker, "streams:add", { text: "of ann", owner: "ann" });
  const ann = await connect({ token: "ann" });
  const ben = await connect({ token: "ben" });
  for (const client of [ann, ben]) {
    open(client, "m", "mine");
    open(client, "w", "who");
  }
  expect((await whole(ann, "m")).chunks.map(({ data }) => data)).toEqual(["of ann"]);
  expect((await whole(ben, "m")).chunks).toEqual([]);
  expect((await whole(ann, "w")).chunks.map(({ data }) => data)).toEqual([
    "ann",
    { userId: "ann", jti: "", team: "" },
    "function",
  ]);
  open(ann, "l", "late", { name: "late" });
  await whole(ann, "l");
  await until(async () => (await seen("late"))?.late !== undefined);
  expect((await seen("late")).late).toBe("CTX_CLOSED");
  for (const client of [ann, ben]) client.close();
});

test("a durable run resumes exactly at every boundary", async () => {
  const client = await connect({ token: "resume" });
  const args = { to: 20, name: "resume" };
  open(client, "first", "kept", args);
  const { chunks, end } = await whole(client, "first");
  expect(end.type).toBe("complete");
  expect(chunks.map(({ seq }) => seq)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  const { generation } = chunks[0];
  expect(new Set(chunks.map((one) => one.generation))).toEqual(new Set([generation]));
  for (let since = 0; since <= 20; since += 1) {
    const id = `since ${since}`;
    open(client, id, "kept", args, { sinceChunk: since, generation });
    const resumed = await whole(client, id);
    expect(resumed.chunks).toEqual(chunks.slice(since).map((frame) => ({ ...frame, id })));
    expect(resumed.end.type).toBe("complete");
  }
  for (const rest of [
    { sinceChunk: 21, generation },
    { sinceChunk: 1, generation: "another" },
  ]) {
    open(client, "bad", "kept", args, rest);
    expect((await client.next(isEnd("bad"))).error.code).toBe("STREAM_INTERRUPTED");
    client.frames.splice(0, client.frames.length);
  }
  client.close();
});

test("a run that goes on is joined at any of its chunks, by as many as want it, and runs once", async () => {
  const [one, two] = [await connect({ token: "share~1" }), await connect({ token: "share~2" })];
  const args = { name: "shared", chunks: 3 };
  open(one, "a", "durable", args);
  await pass("shared");
  const { generation } = await chunk(one, "a", "shared 1");
  open(two, "b", "durable", args);
  open(two, "c", "durable", args, { sinceChunk: 1, generation });
  await chunk(two, "b", "shared 1");
  await pass("shared");
  for (const [client, id] of [
    [one, "a"],
    [two, "b"],
    [two, "c"],
  ] as const)
    await chunk(client, id, "shared 2");
  // Nobody hears it, and it goes on.
  one.terminate();
  two.send({ type: "unsubscribe", id: "b" });
  two.send({ type: "unsubscribe", id: "c" });
  await pass("shared");
  await until(async () => (await seen("shared")).left === true);
  expect(await seen("shared")).toEqual({ starts: 1, yielded: 3, left: true });
  const three = await connect({ token: "share" });
  open(three, "d", "durable", args, { sinceChunk: 2, generation });
  const { chunks, end } = await whole(three, "d");
  expect(chunks.map(({ data, seq }) => [data, seq])).toEqual([["shared 3", 3]]);
  expect(end.type).toBe("complete");
  for (const client of [two, three]) client.close();
});

test("identities, and claims of one identity, have runs of their own; arguments too", async () => {
  const generations = new Set<string>();
  for (const [token, to] of [
    ["own", 1],
    ["other", 1],
    ["own~1~red", 1],
    ["own", 2],
    [undefined, 1],
  ] as const) {
    const client = await connect(token === undefined ? {} : { token });
    open(client, "k", "kept", { to, name: "own" });
    generations.add((await whole(client, "k")).chunks[0].generation);
    client.close();
  }
  expect(generations.size).toBe(5);
  const again = await connect({ token: "own~9" });
  open(again, "k", "kept", { name: "own", to: 1 });
  expect(generations).toContain((await whole(again, "k")).chunks[0].generation);
  // Somebody else's run is not to be had by its name.
  const [foreign] = generations;
  open(again, "f", "kept", { name: "own", to: 9 }, { sinceChunk: 0, generation: foreign });
  expect((await client(again, "f")).error.code).toBe("STREAM_INTERRUPTED");
  again.close();
});

const client = (socket: SocketClient, id: string): Promise<Loose> => socket.next(isEnd(id));

test("a run that failed is told again, until one replaces it; a second wish to replace it joins that one", async () => {
  const socket = await connect({ token: "failing" });
  const args = { to: 3, fail: 2, name: "failing" };
  open(socket, "a", "kept", args);
  const failed = await whole(socket, "a");
  const { generation } = failed.chunks[0];
  expect(failed.end.error.code).toBe("CONFLICT");
  open(socket, "b", "kept", args);
  expect(await whole(socket, "b")).toMatchObject({ chunks: [{ generation }], end: { error: { code: "CONFLICT" } } });
  open(socket, "c", "kept", args, { replaces: generation });
  const second = (await whole(socket, "c")).chunks[0].generation;
  expect(second).not.toBe(generation);
  open(socket, "d", "kept", args, { replaces: generation });
  expect((await whole(socket, "d")).chunks[0].generation).toBe(second);
  open(socket, "e", "kept", args, { sinceChunk: 1, generation });
  expect((await client(socket, "e")).error.code).toBe("STREAM_INTERRUPTED");
  socket.close();
});

test("a process that dies in mid-run: what was sent is kept, the rest is told to be interrupted, then it runs anew", async () => {
  const before = await connect({ token: "killed" });
  const args = { name: "killed", chunks: 5 };
  open(before, "k", "durable", args);
  await pass("killed");
  await pass("killed");
  const { generation } = await chunk(before, "k", "killed 2");
  await worker.restart();
  const after = await connect({ token: "killed" });
  open(after, "behind", "durable", args, { sinceChunk: 1, generation });
  const behind = await whole(after, "behind");
  expect(behind.chunks.map(({ data }) => data)).toEqual(["killed 2"]);
  expect(behind.end.error.code).toBe("STREAM_INTERRUPTED");
  open(after, "fresh", "durable", args);
  const fresh = await whole(after, "fresh");
  expect(fresh.chunks.map(({ data, seq }) => [data, seq])).toEqual([
    ["killed 1", 1],
    ["killed 2", 2],
  ]);
  expect(fresh.end.error.code).toBe("STREAM_INTERRUPTED");
  open(after, "new", "durable", args, { replaces: generation });
  await pass("killed");
  expect((await chunk(after, "new", "killed 1")).generation).not.toBe(generation);
  after.close();
});

test("what is not kept is not resumed", async () => {
  const socket = await connect();
  open(socket, "n", "count", { to: 1 }, { sinceChunk: 1, generation: "g" });
  expect((await client(socket, "n")).error.code).toBe("STREAM_INTERRUPTED");
  socket.close();
});

test("a durable stream is too long: of chunks, of bytes", async () => {
  const socket = await connect({ token: "long" });
  open(socket, "chunks", "kept", { to: 50_001, name: "long" });
  const { chunks, end } = await whole(socket, "chunks");
  expect(chunks).toHaveLength(50_000);
  expect(chunks.at(-1)).toMatchObject({ seq: 50_000, data: 50_000 });
  expect(end.error.code).toBe("STREAM_TOO_LONG");
  open(socket, "bytes", "kept", { to: 80, size: 1_000_000, name: "wide" });
  const wide = await whole(socket, "bytes");
  expect(wide.chunks).toHaveLength(67);
  expect(wide.end.error.code).toBe("STREAM_TOO_LONG");
  expect((await seen("wide")).yielded).toBeLessThanOrEqual(69);
  // Not durable: as long as it likes.
  open(socket, "free", "count", { to: 50_001 });
  expect((await whole(socket, "free")).end.type).toBe("complete");
  socket.close();
});

test("chunks are swept after their time, in passes, by the shard's one alarm", async () => {
  const socket = await connect({ token: "brief" });
  open(socket, "b", "brief", { to: 12_000, name: "brief" });
  const { generation } = (await whole(socket, "b")).chunks[0];
  const rows = async (): Promise<number> =>
    (await inspect(worker, "sql", `SELECT count(*) AS n FROM __stream_chunk WHERE generation = '${generation}'`))[0].n;
  await until(async () => (await rows()) === 0);
  const runs = (): Promise<Loose> =>
    inspect(worker, "sql", `SELECT 1 FROM __stream_run WHERE generation = '${generation}'`);
  await until(async () => (await runs()).length === 0);
  open(socket, "again", "brief", { to: 1, name: "brief" }, { sinceChunk: 1, generation });
  expect((await client(socket, "again")).error.code).toBe("STREAM_INTERRUPTED");
  // Others are kept for their day, and the alarm is set for that.
  expect(await inspect(worker, "alarmTime", null)).toBeGreaterThan(0);
  socket.close();
});

test("a reader that takes nothing holds back what is made for it alone, and no other", async () => {
  const [slow, quick] = [await connect({ token: "slow" }), await connect({ token: "slow" })];
  // More than the kernel holds for a peer that does not read.
  const [own200, kept60] = [
    { to: 200, size: 500_000, name: "held" },
    { to: 60, size: 1_000_000, name: "not held" },
  ];
  slow.raw.pause();
  open(slow, "own", "count", own200);
  open(slow, "kept", "kept", kept60);
  open(quick, "kept", "kept", kept60);
  expect((await whole(quick, "kept")).end.type).toBe("complete");
  const held = (await seen("held")).yielded as number;
  expect(held).toBeLessThan(200);
  slow.raw.resume();
  const own = await whole(slow, "own");
  expect([own.chunks.length, own.end.type]).toEqual([200, "complete"]);
  const kept = await whole(slow, "kept");
  expect(kept.chunks.map(({ seq }) => seq)).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
  expect(kept.end.type).toBe("complete");
  for (const socket of [slow, quick]) socket.close();
});

test("a socket has at most 32 streams", async () => {
  const socket = await connect();
  for (let index = 0; index < 33; index += 1) open(socket, `${index}`, "gated", { name: `many ${index}`, chunks: 1 });
  expect((await client(socket, "32")).error.code).toBe("SUBSCRIPTION_LIMIT");
  socket.send({ type: "unsubscribe", id: "0" });
  open(socket, "33", "gated", { name: "many 33", chunks: 1 });
  await pass("many 33");
  expect((await client(socket, "33")).type).toBe("complete");
  socket.close();
});

/** The platform destroys an object that has had no event for 10 seconds. */
const SLEEP = 14_000;

test("the object stays awake while a stream runs, also one that nobody hears", async () => {
  const [one, two] = [await connect({ token: "awake" }), await connect({ token: "awake" })];
  const constructed = await inspect(worker, "constructed", null);
  open(one, "a", "gated", { name: "awake", chunks: 1 });
  open(two, "b", "durable", { name: "alone", chunks: 1 });
  await until(async () => (await seen("awake")) !== null && (await seen("alone")) !== null);
  two.close();
  await two.closed;
  await pause(SLEEP);
  await pass("awake");
  await pass("alone");
  expect((await client(one, "a")).type).toBe("complete");
  await until(async () => (await seen("alone")).left === true);
  expect(await inspect(worker, "constructed", null)).toBe(constructed);
  one.close();
});
