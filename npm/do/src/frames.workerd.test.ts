import { connect as connectTcp } from "node:net";
import { readFile } from "node:fs/promises";

import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import { appEntry, inspect, NAMESPACES, result } from "../testing/client.ts";
import type { Loose } from "../testing/loose.ts";
import { SocketClient } from "../testing/socket-client.ts";
import { TestWorker } from "../testing/workerd.ts";

let worker: TestWorker;

beforeAll(async () => {
  worker = await TestWorker.start({ entry: appEntry("live"), namespaces: NAMESPACES });
});

afterAll(() => worker?.stop());

/** Another client, which has to be served whatever somebody else does. */
async function servesOthers(): Promise<void> {
  const clientId = `other ${Math.random()}`;
  const other = await SocketClient.connect(worker, { clientId });
  const ack = await other.push(clientId, [{ clientSeq: 1, functionPath: "live:add", args: { text: "other" } }]);
  expect(ack.lastMutationId).toBe(1);
  other.close();
}

test("a socket that says nothing is closed, and told why", async () => {
  const silent = await SocketClient.open(worker);
  expect(await silent.next(() => true)).toEqual({
    type: "error",
    error: expect.objectContaining({ code: "CONNECT_TIMEOUT" }),
  });
  await vi.waitFor(() => expect(silent.raw.readyState).toBe(silent.raw.CLOSING), { timeout: 30_000 });
  // The platform ends the connection itself when the object sleeps.
  silent.terminate();
  expect((await silent.closed).code).toBe(1008);
});

const push = (entries: unknown): object => ({ type: "push", id: "p", clientId: "c", entries });

describe("a frame that breaks the protocol is told with a code, and the socket closed", () => {
  const bad: [name: string, frame: string | Uint8Array, error: string, close: number][] = [
    ["no JSON", "{", "FRAME_MALFORMED", 1008],
    ["no object", "[]", "FRAME_MALFORMED", 1008],
    ["bytes", new TextEncoder().encode('{"type":"unsubscribe","id":"1"}'), "FRAME_MALFORMED", 1008],
    ["unknown type", '{"type":"drop"}', "FRAME_MALFORMED", 1008],
    ["a frame of servers", '{"type":"ack","id":"1"}', "FRAME_MALFORMED", 1008],
    ["deep JSON", `{"type":"whisper","topic":"t","data":${"[".repeat(50_000)}`, "WIRE_TOO_DEEP", 1008],
    ["connect again", '{"type":"connect","id":"again"}', "FRAME_OUT_OF_STATE", 1008],
    ["no entries", JSON.stringify(push([])), "FRAME_MALFORMED", 1008],
    ["too many entries", JSON.stringify(push(Array.from({ length: 501 }, () => ({})))), "FRAME_MALFORMED", 1008],
    ["too long", JSON.stringify({ type: "whisper", topic: "t", data: "x".repeat(1_048_576) }), "FRAME_TOO_LARGE", 1009],
    [
      "too long in bytes",
      JSON.stringify({ type: "whisper", topic: "t", data: "ü".repeat(600_000) }),
      "FRAME_TOO_LARGE",
      1009,
    ],
  ];
  test.each(bad)("%s", async (_, frame, error, close) => {
    const client = await SocketClient.connect(worker, { clientId: "c" });
    client.raw.send(frame);
    expect(await client.next(({ type }) => type === "error")).toMatchObject({ error: { code: error } });
    expect((await client.closed).code).toBe(close);
    await servesOthers();
  });

  test.each([
    '{"type":"subscribe","id":"1","query":{"functionPath":"live:list","args":{}}}',
    JSON.stringify(push([{ clientSeq: 1, functionPath: "live:add", args: { text: "before connect" } }])),
    '{"type":"whisper","topic":"t"}',
  ])("%s before connect", async (frame) => {
    const client = await SocketClient.open(worker);
    client.send(frame);
    expect(await client.next(({ type }) => type === "error")).toMatchObject({ error: { code: "FRAME_OUT_OF_STATE" } });
    expect((await client.closed).code).toBe(1008);
    expect(await result(worker, "live:list")).not.toContain("before connect");
  });

  test("what came before it on the same socket has its effect", async () => {
    const client = await SocketClient.connect(worker, { clientId: "then bad" });
    client.send({
      type: "push",
      id: "p",
      clientId: "then bad",
      entries: [{ clientSeq: 1, functionPath: "live:add", args: { text: "sent before the bad frame" } }],
    });
    client.send("bad");
    await client.closed;
    expect(await result(worker, "live:list")).toContain("sent before the bad frame");
  });
});

describe("what a socket may not", () => {
  test("internal functions are not there, whoever subscribes", async () => {
    const client = await SocketClient.connect(worker, {}, { token: "ann" });
    for (const functionPath of ["live:secretList", "live:nothing", "__proto__", "toString"])
      client.send({ type: "subscribe", id: functionPath, query: { functionPath, args: {} } });
    for (const id of ["live:secretList", "live:nothing", "__proto__", "toString"])
      expect(await client.next((frame) => frame.id === id)).toMatchObject({
        type: "error",
        error: { code: "FUNCTION_NOT_FOUND" },
      });
    client.close();
  });

  test("more than 1,000 subscriptions; the others go on", async () => {
    const client = await SocketClient.connect(worker, { caps: ["batch"] });
    for (let index = 0; index < 10_000; index += 1)
      client.send({ type: "subscribe", id: `s${index}`, query: { functionPath: "live:list", args: {} } });
    await client.next((frame) => frame.id === "s9999");
    const refused = client.frames.filter((frame) => frame.error?.code === "SUBSCRIPTION_LIMIT");
    expect(refused).toHaveLength(9_000);
    await client.next((frame) => frame.id === "s999" && frame.type === "data");
    expect(new Set(client.frames.filter((frame) => frame.type === "data").map(({ id }) => id)).size).toBe(1_000);
    await servesOthers();
    client.close();
  });

  test("identity headers of a client are worth nothing", async () => {
    const forged = JSON.stringify({ userId: "admin" });
    const client = await SocketClient.connect(
      worker,
      { clientId: "forger" },
      {
        token: "ann",
        headers: { "x-lunora-identity": forged, "x-lunora-userid": "admin", "x-lunora-shard": "room=locked" },
      },
    );
    const ack = await client.push("forger", [{ clientSeq: 1, functionPath: "live:whoAmI" }]);
    expect(ack.results[0].result).toEqual({ userId: "ann" });
    client.close();
  });

  test("a function that the app's rule refuses to this caller", async () => {
    const client = await SocketClient.connect(worker, { clientId: "reads" }, { token: "reader" });
    const ack = await client.push("reads", [
      { clientSeq: 1, functionPath: "live:add", args: { text: "refused" } },
      { clientSeq: 2, functionPath: "live:quiet", args: { text: "allowed" } },
    ]);
    expect(ack.results).toEqual([
      { clientSeq: 1, error: expect.objectContaining({ code: "FORBIDDEN_SHARD" }) },
      { clientSeq: 2 },
    ]);
    client.close();
  });
});

describe("who may open a socket", () => {
  test.each([
    [{ token: "bad" }, 4401, "UNAUTHORIZED"],
    [{ token: "stale" }, 4001, "TOKEN_EXPIRED"],
    [{ token: "ann~-5" }, 4001, "TOKEN_EXPIRED"],
    [{ token: "outcast" }, 4403, "FORBIDDEN_SHARD"],
    [{ token: "ann", shard: "room=locked" }, 4403, "FORBIDDEN_SHARD"],
  ])("%j is told by close code %i", async (options, code, reason) => {
    const client = await SocketClient.open(worker, options);
    expect(await client.closed).toEqual({ code, reason });
    expect(client.frames).toMatchObject([{ type: "error", error: { code: reason } }]);
  });

  test("the token may travel as a subprotocol", async () => {
    const token = Buffer.from("änn").toString("base64url");
    const client = await SocketClient.connect(
      worker,
      { clientId: "sub" },
      { protocols: ["lunora", `lunora.bearer.${token}`] },
    );
    expect(client.raw.protocol).toBe("lunora");
    const ack = await client.push("sub", [{ clientSeq: 1, functionPath: "live:whoAmI" }]);
    expect(ack.results[0].result).toEqual({ userId: "änn" });
    client.close();
  });

  test("a token that expires closes the socket before anything else is handled or sent", async () => {
    const client = await SocketClient.connect(worker, { clientId: "expires" }, { token: "ann~1" });
    const ack = await client.push("expires", [{ clientSeq: 1, functionPath: "live:add", args: { text: "in time" } }]);
    expect(ack.lastMutationId).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    client.send({
      type: "push",
      id: "late",
      clientId: "expires",
      entries: [{ clientSeq: 2, functionPath: "live:add", args: { text: "too late" } }],
    });
    expect((await client.closed).code).toBe(4001);
    expect(client.frames.some(({ id }) => id === "late")).toBe(false);
    expect(await result(worker, "live:list")).not.toContain("too late");
  });

  test.each([
    ["https://evil.example", 403],
    ["null", 403],
    ["http://127.0.0.1", 403],
    ["https://friend.example", 101],
    ["own", 101],
    ["forwarded", 101],
  ])("a page of %s gets %i", async (origin, status) => {
    const headers = {
      origin: origin === "own" ? worker.origin : origin === "forwarded" ? "https://app.example" : origin,
      ...(origin === "forwarded" ? { "x-forwarded-host": "app.example" } : {}),
    };
    const opened = await SocketClient.open(worker, { headers }).then(
      (client) => {
        client.close();
        return "HTTP 101";
      },
      (error: Error) => error.message,
    );
    expect(opened).toBe(`HTTP ${status}`);
  });

  test.each(["room=a/b", "room=", "nothing=1", "__lunora_shard_registry__", "room=%61", "x", "room=%zz"])(
    "the shard %s cannot be named",
    async (shard) => {
      await expect(SocketClient.open(worker, { shard })).rejects.toThrow("HTTP 400");
    },
  );

  test("without an upgrade the path says what it speaks", async () => {
    const response = await worker.fetch("/_lunora/ws");
    expect(response.status).toBe(426);
    expect(((await response.json()) as Loose).error.code).toBe("UPGRADE_REQUIRED");
  });
});

test("a socket of another shard has that shard's watermark and rows", async () => {
  const client = await SocketClient.connect(worker, { clientId: "rooms" }, { shard: "room=blue" });
  const ack = await client.push("rooms", [
    { clientSeq: 1, functionPath: "live:add2Room", args: { room: "blue", text: "hello" } },
    { clientSeq: 2, functionPath: "live:add2Room", args: { room: "red", text: "elsewhere" } },
  ]);
  expect(ack.results).toEqual([
    { clientSeq: 1, result: expect.stringContaining(".") },
    { clientSeq: 2, error: expect.objectContaining({ code: "SHARD_MISMATCH" }) },
  ]);
  expect(await inspect(worker, "sql", "SELECT count(*) AS n FROM messages", "room=blue")).toEqual([{ n: 1 }]);
  client.close();
});

describe("whispers", () => {
  test("reach those who listen, not the one who speaks, and leave nothing behind", async () => {
    const [ann, ben, eve] = [
      await SocketClient.connect(worker, {}, { token: "ann" }),
      await SocketClient.connect(worker, {}, { token: "ben" }),
      await SocketClient.connect(worker),
    ];
    for (const client of [ann, ben]) client.send({ type: "whisper_subscribe", topic: "cursors" });
    // Answered after the subscription: frames of a socket are handled in order.
    await ann.push("w1", [{ clientSeq: 1, functionPath: "live:whoAmI" }]);
    await ben.push("w2", [{ clientSeq: 1, functionPath: "live:whoAmI" }]);
    ann.send({ type: "whisper", topic: "cursors", data: { x: 1 } });
    expect(await ben.next(({ type }) => type === "whisper")).toEqual({
      type: "whisper",
      topic: "cursors",
      data: { x: 1 },
      from: "ann",
    });
    ben.send({ type: "whisper_unsubscribe", topic: "cursors" });
    await ben.push("w2", [{ clientSeq: 2, functionPath: "live:whoAmI" }]);
    ann.send({ type: "whisper", topic: "cursors", data: 2 });
    await ann.push("w1", [{ clientSeq: 2, functionPath: "live:whoAmI" }]);
    await ben.push("w2", [{ clientSeq: 3, functionPath: "live:whoAmI" }]);
    expect([ann, ben, eve].map(({ frames }) => frames.filter(({ type }) => type === "whisper").length)).toEqual([
      0, 1, 0,
    ]);
    for (const client of [ann, ben, eve]) client.close();
  });

  test("are limited in size and number, and by the app's rule", async () => {
    const client = await SocketClient.connect(worker, {}, { token: "ann" });
    client.send({ type: "whisper_subscribe", topic: "closed" });
    expect(await client.next(({ id }) => id === "closed")).toMatchObject({ error: { code: "FORBIDDEN_SHARD" } });
    client.send({ type: "whisper_subscribe", topic: "big" });
    client.send({ type: "whisper", topic: "big", data: "x".repeat(20_000) });
    expect(await client.next(({ id }) => id === "big")).toMatchObject({ error: { code: "PAYLOAD_TOO_LARGE" } });
    for (let index = 0; index < 300; index += 1) client.send({ type: "whisper", topic: "many", data: index });
    expect(await client.next(({ id }) => id === "many")).toMatchObject({ error: { code: "RATE_LIMITED" } });
    expect(client.hasClosed).toBe(false);
    client.close();
  });
});

test("a reader that stops reading is given up with 1013 and bounded memory, and the shard serves others", async () => {
  const residentBytes = async (): Promise<number> => {
    const status = await readFile(`/proc/${worker.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
  };
  // A bare TCP connection, since WebSocket libraries read on their own.
  const { port, hostname } = new URL(worker.origin);
  const socket = connectTcp(Number(port), hostname);
  const key = "dGhlIHNhbXBsZSBub25jZQ==";
  socket.write(
    `GET /_lunora/ws HTTP/1.1\r\nhost: ${hostname}:${port}\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-key: ${key}\r\nsec-websocket-version: 13\r\n\r\n`,
  );
  await new Promise((resolve) => socket.once("data", resolve));
  const masked = (text: string): Buffer => {
    const payload = Buffer.from(text);
    const head =
      payload.length < 126 ? [0x81, 0x80 | payload.length] : [0x81, 0xfe, payload.length >> 8, payload.length & 255];
    return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), payload]);
  };
  socket.write(masked(JSON.stringify({ type: "connect", id: "1" })));
  socket.write(masked(JSON.stringify({ type: "whisper_subscribe", topic: "flood" })));
  await new Promise((resolve) => socket.once("data", resolve));
  socket.pause();
  const before = await residentBytes();
  // 16 kB each; far more in total than any buffer between us.
  const writers = await Promise.all(
    Array.from({ length: 20 }, () => SocketClient.connect(worker, { clientId: "w" }, { token: "w" })),
  );
  let stalled = true;
  for (let round = 0; round < 40 && stalled; round += 1) {
    for (const writer of writers)
      for (let index = 0; index < 40; index += 1)
        writer.send({ type: "whisper", topic: "flood", data: "x".repeat(16_000) });
    await new Promise((resolve) => setTimeout(resolve, 900));
    stalled = (await inspect(worker, "sockets", null)) > writers.length;
  }
  expect(stalled).toBe(false);
  expect((await residentBytes()) - before).toBeLessThan(150_000_000);
  await servesOthers();
  for (const writer of writers) writer.close();
  // What it did not read comes first, then the close: 1013.
  const tail = await new Promise<Buffer>((resolve) => {
    let last = Buffer.alloc(0);
    socket.on("data", (data) => {
      last = Buffer.concat([last, data]).subarray(-512);
      const close = last.lastIndexOf(Buffer.from([0x88]));
      if (close >= 0 && last.length >= close + 4 && last.readUInt16BE(close + 2) === 1013) resolve(last);
    });
    socket.on("close", () => resolve(last));
    socket.resume();
  });
  expect(tail.includes(Buffer.from([0x03, 0xf5]))).toBe(true);
  socket.destroy();
});
