import { request as httpRequest } from "node:http";

import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

import { appEntry, call, code, NAMESPACES, result } from "../../do/testing/client.ts";
import { Random } from "../../do/testing/random.ts";
import { TestWorker } from "../../do/testing/workerd.ts";
import type { Loose } from "../../do/testing/loose.ts";

const random = new Random(inject("seed"));

let worker: TestWorker;

beforeAll(async () => {
  worker = await TestWorker.start({
    entry: appEntry("edge"),
    namespaces: NAMESPACES,
    variables: { LUNORA_REGION: "here" },
  });
});

afterAll(() => worker?.stop());

const JSON_TYPE = { "content-type": "application/json" };

async function post(
  path: string,
  body: BodyInit | null,
  headers: Record<string, string> = JSON_TYPE,
): Promise<{ status: number; body: Loose; headers: Headers }> {
  const response = await worker.fetch(path, { method: "POST", body, headers });
  return { status: response.status, body: await response.json(), headers: response.headers };
}

const rpc = (body: unknown): ReturnType<typeof post> => post("/_lunora/rpc", JSON.stringify(body));
const batch = (calls: unknown): ReturnType<typeof post> => post("/_lunora/rpc-batch", JSON.stringify({ calls }));

/** A call whose argument is this piece of JSON. */
const echoOf = (value: string): string => `{"functionPath":"edge:echo","args":{"value":${value}}}`;

describe("envelopes", () => {
  test("of a wrong form are 400 with a code", async () => {
    const bodies: unknown[] = [
      null,
      5,
      "x",
      [],
      {},
      { functionPath: 5 },
      { functionPath: "" },
      { functionPath: "x".repeat(2_000) },
    ];
    for (const args of [null, 5, "x", [], true]) bodies.push({ functionPath: "edge:readLog", args });
    for (const shardKey of [null, 5, {}, ""]) bodies.push({ functionPath: "edge:readLog", args: {}, shardKey });
    for (const body of bodies)
      expect(await rpc(body), JSON.stringify(body)).toMatchObject({
        status: 400,
        body: { error: { code: "BAD_REQUEST" } },
      });
    for (const text of ["", "{", "nul", '{"a":1}}', "\u0000", '{"functionPath":"edge:readLog"']) {
      expect(await post("/_lunora/rpc", text), text).toMatchObject({
        status: 400,
        body: { error: { code: "BAD_REQUEST" } },
      });
    }
    expect(await post("/_lunora/rpc", new Uint8Array([0x7b, 0xff, 0x7d]))).toMatchObject({
      status: 400,
      body: { error: { code: "BAD_REQUEST" } },
    });
    expect((await rpc({ functionPath: "edge:readLog" })).status).toBe(200);
  });

  test("names of functions that are not there are not found, whatever they are called", async () => {
    const internal = await rpc({ functionPath: "edge:secret", args: {} });
    const unknown = await rpc({ functionPath: "edge:secreu", args: {} });
    expect(internal.status).toBe(404);
    expect(JSON.stringify(internal.body)).toBe(JSON.stringify(unknown.body).replaceAll("secreu", "secret"));
    for (const functionPath of [
      "__proto__",
      "constructor",
      "toString",
      "edge",
      "edge:",
      ":x",
      "edge:missing2",
      "../x",
    ]) {
      expect((await rpc({ functionPath, args: {} })).body.error.code).toBe("FUNCTION_NOT_FOUND");
    }
    expect(await rpc({ functionPath: "edge:missing", args: {} })).toMatchObject({
      status: 500,
      body: { error: { code: "INTERNAL" } },
    });
  });

  test("methods, types, lengths and depths are bounded", async () => {
    for (const [method, path] of [
      ["GET", "/_lunora/rpc"],
      ["PUT", "/_lunora/rpc-batch"],
      ["OPTIONS", "/_lunora/rpc"],
      ["POST", "/_lunora/status"],
      ["DELETE", "/_lunora/health"],
    ] as const) {
      const response = await worker.fetch(path, { method });
      expect([response.status, response.headers.has("allow"), ((await response.json()) as Loose).error.code]).toEqual([
        405,
        true,
        "METHOD_NOT_ALLOWED",
      ]);
    }
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data",
      "application/jsonx",
      "",
    ]) {
      expect(await post("/_lunora/rpc", "{}", { "content-type": type }), type).toMatchObject({
        status: 415,
        body: { error: { code: "UNSUPPORTED_MEDIA_TYPE" } },
      });
    }
    expect(
      (await post("/_lunora/rpc", echoOf("1"), { "content-type": "Application/JSON; charset=utf-8" })).body,
    ).toEqual({ result: 1 });
    const frame = echoOf('""').length;
    expect((await post("/_lunora/rpc", echoOf(`"${"x".repeat(1024 * 1024 - frame)}"`))).status).toBe(200);
    expect(await post("/_lunora/rpc", echoOf(`"${"x".repeat(1024 * 1024 - frame + 1)}"`))).toMatchObject({
      status: 413,
      body: { error: { code: "PAYLOAD_TOO_LARGE" } },
    });
    for (const depth of [65, 255, 100_000]) {
      const nested = echoOf("[".repeat(depth) + "]".repeat(depth));
      expect(await post("/_lunora/rpc", nested), String(depth)).toMatchObject({
        status: 400,
        body: { error: { code: "WIRE_TOO_DEEP" } },
      });
    }
    expect((await post("/_lunora/rpc", echoOf(`"${"[".repeat(1_000)}"`))).status).toBe(200);
  });

  test("a long body without a content-length is cut off while it streams", async () => {
    const status = await new Promise<number>((resolve, reject) => {
      const { port } = new URL(worker.origin);
      const request = httpRequest(
        { port, method: "POST", path: "/_lunora/rpc", headers: { ...JSON_TYPE, "transfer-encoding": "chunked" } },
        (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
          request.destroy();
        },
      );
      request.on("error", reject);
      // One more than a body may have, and no end: the answer does not wait for it.
      request.write(Buffer.alloc(1024 * 1024 + 1, 0x20));
    });
    expect(status).toBe(413);
  });

  test("damaged in any way they never make the worker fail", async () => {
    const good = JSON.stringify({
      functionPath: "edge:write",
      args: { text: "fuzz", ["nested"]: [1, { a: ["$lunora.wire$", "bigint", "5"] }] },
      shardKey: "__root__",
    });
    const pieces = [
      '"',
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      "null",
      "1e999",
      "\\u0000",
      "\ud83d",
      "__proto__",
      '["$lunora.wire$","bigint","x"]',
      '["$lunora.wire$","map",[[1]]]',
      " ",
    ];
    for (let round = 0; round < 400; round += 1) {
      let text = good;
      for (let edits = random.below(4) + 1; edits > 0; edits -= 1) {
        const at = random.below(text.length);
        text = random.chance(0.5)
          ? text.slice(0, at) + random.pick(pieces) + text.slice(at)
          : text.slice(0, at) + text.slice(at + random.below(9) + 1);
      }
      const answer = await post(random.chance(0.8) ? "/_lunora/rpc" : "/_lunora/rpc-batch", text);
      expect(answer.status, text).toBeLessThan(500);
      expect(answer.status === 200 || /^[A-Z_]+$/.test(answer.body.error.code), text).toBe(true);
    }
  });
});

describe("a batch", () => {
  test("of 500 keeps its order, and each call its own outcome", async () => {
    const calls = Array.from({ length: 500 }, (_, index) => {
      if (index % 50 === 7) return { id: `${index}`, functionPath: "edge:nothing", args: {} };
      if (index % 50 === 8) return { id: `${index}`, functionPath: "edge:write", args: { text: 5 } };
      if (index % 50 === 9) return { id: `${index}`, functionPath: 5 };
      if (index % 50 === 10) return { id: `${index}`, functionPath: "edge:add", args: { room: "private", value: 1 } };
      return { id: `${index}`, functionPath: "edge:write", args: { text: `batch ${index}` } };
    });
    const { status, body } = await batch(calls);
    expect(status).toBe(200);
    expect(body.results.map((slot: Loose) => slot.id)).toEqual(calls.map(({ id }) => id));
    const codes: Record<number, string> = {
      7: "FUNCTION_NOT_FOUND",
      8: "VALIDATION_ERROR",
      9: "BAD_REQUEST",
      10: "FORBIDDEN_SHARD",
    };
    body.results.forEach((slot: Loose, index: number) =>
      expect(slot.body.error?.code, slot.id).toBe(codes[index % 50]),
    );
    const written = calls.filter((_, index) => codes[index % 50] === undefined).map(({ id }) => `batch ${id}`);
    const log: string[] = await result(worker, "edge:readLog");
    expect(log.filter((text) => text.startsWith("batch"))).toEqual(written);
  });

  test("goes to several shards, actions and all shards at once; ids are positions where none are given", async () => {
    const { body } = await batch([
      { functionPath: "edge:add", args: { room: "b1", value: 1 } },
      { functionPath: "edge:add", args: { room: "b2", value: 2 } },
      { functionPath: "edge:list", args: { room: "b1" } },
      { functionPath: "edge:act", args: { text: "in a batch" } },
      { functionPath: "edge:total", args: {} },
      { functionPath: "edge:add", args: { room: "b1", value: 3 }, mutationId: "once" },
      { functionPath: "edge:add", args: { room: "b1", value: 3 }, mutationId: "once" },
    ]);
    expect(body.results.map((slot: Loose) => slot.id)).toEqual(["0", "1", "2", "3", "4", "5", "6"]);
    expect(body.results[2].body.result).toHaveLength(1);
    expect(body.results[3].body.result.secret).toBe("internal");
    expect(body.results[4].body.error.code).toBe("FORBIDDEN_FANOUT");
    expect(body.results[6].body).toEqual(body.results[5].body);
    expect(await result(worker, "edge:list", { room: "b1" })).toHaveLength(2);
  });

  test("of 501, or that is none, is refused whole", async () => {
    expect(await batch(Array.from({ length: 501 }, () => ({ functionPath: "edge:readLog", args: {} })))).toMatchObject({
      status: 400,
      body: { error: { code: "BATCH_LIMIT_EXCEEDED" } },
    });
    for (const calls of [null, {}, 5, undefined]) expect((await batch(calls)).body.error.code).toBe("BAD_REQUEST");
    expect((await batch([])).body).toEqual({ results: [] });
    expect(
      (await batch([null, 5, { id: 5, functionPath: "edge:readLog" }])).body.results.map(
        (slot: Loose) => slot.body.error.code,
      ),
    ).toEqual(Array(3).fill("BAD_REQUEST"));
  });
});

describe("identity", () => {
  test("comes from the bearer token with all its claims", async () => {
    expect(await result(worker, "edge:identity")).toEqual({ userId: null, identity: null });
    expect(await result(worker, "edge:identity", {}, { token: "ann" })).toEqual({
      userId: "ann",
      identity: { userId: "ann", roles: ["reader"], level: 7n },
    });
    expect(await result(worker, "edge:identity", {}, { headers: { authorization: "Basic YW5u" } })).toMatchObject({
      userId: null,
    });
  });

  test("headers that only the server sets are taken off, in every spelling", async () => {
    for (const name of ["x-lunora-userid", "X-Lunora-UserId", "X-LUNORA-USERID", "x-lunora-identity"]) {
      const headers = { [name]: '{"userId":"root"}' };
      expect(await result(worker, "edge:identity", {}, { headers })).toEqual({ userId: null, identity: null });
      expect(await (await worker.fetch("/app", { headers })).json()).toEqual({
        path: "/app",
        forged: null,
        identity: null,
      });
    }
  });

  test("that cannot be established refuses the call and tells nothing", async () => {
    expect(await call(worker, "edge:identity", {}, { token: "explodes" })).toMatchObject({
      status: 401,
      error: { code: "UNAUTHORIZED" },
    });
    expect(JSON.stringify(await call(worker, "edge:identity", {}, { token: "explodes" }))).not.toContain("secret");
    expect(await call(worker, "edge:identity", {}, { token: "expired" })).toMatchObject({
      status: 401,
      error: { message: "the token has expired" },
    });
    for (const token of ["wrong", "nothing"])
      expect(await call(worker, "edge:identity", {}, { token })).toMatchObject({
        status: 500,
        error: { code: "INTERNAL" },
      });
    expect((await call(worker, "edge:identity", {}, { token: "function" })).error?.code).toBe("WIRE_VALUE_UNSUPPORTED");
  });
});

describe("authorization", () => {
  test("of shards and fan-outs follows the app's rules", async () => {
    expect(await call(worker, "edge:add", { room: "private", value: 1 })).toMatchObject({
      status: 403,
      error: { code: "FORBIDDEN_SHARD" },
    });
    await result(worker, "edge:add", { room: "private", value: 1 }, { token: "ann" });
    expect(await call(worker, "edge:all")).toMatchObject({ status: 403, error: { code: "FORBIDDEN_FANOUT" } });
    expect((await call(worker, "edge:all", {}, { token: "ann" })).status).toBe(200);
  });

  test("without rules opens only the root", async () => {
    const headers = { "x-test-variant": "closed" };
    expect(await code(worker, "edge:list", { room: "public" }, { headers })).toBe("FORBIDDEN_SHARD");
    expect(await code(worker, "edge:all", {}, { headers })).toBe("FORBIDDEN_FANOUT");
    expect((await call(worker, "edge:readLog", {}, { headers })).status).toBe(200);
    // Functions that functions call are not asked about.
    expect((await call(worker, "edge:act", { text: "x", room: "trusted" }, { headers })).status).toBe(200);
    const response = await worker.fetch("/app", { headers });
    expect([response.status, ((await response.json()) as Loose).error.code]).toEqual([404, "NOT_FOUND"]);
  });

  test("a jurisdiction that this platform does not have reaches no object at all", async () => {
    const headers = { "x-test-variant": "pinned" };
    for (const [path, args] of [
      ["edge:readLog", {}],
      ["edge:add", { room: "x", value: 1 }],
      ["edge:act", { text: "x" }],
    ] as const) {
      expect(await code(worker, path, args, { headers }), path).toBe("JURISDICTION_UNAVAILABLE");
    }
    expect(await code(worker, "edge:all", {}, { headers, token: "ann" })).toBe("JURISDICTION_UNAVAILABLE");
  });
});

describe("actions", () => {
  test("run in the Worker and reach data through functions, internal ones too", async () => {
    const answer = await result(worker, "edge:act", { text: "from an action", room: "acted" }, { token: "ann" });
    expect(answer).toMatchObject({ userId: "ann", secret: "internal", rows: [2n ** 60n] });
    expect(await result(worker, "edge:readLog")).toContain("from an action");
    expect(await result(worker, "edge:fetches", { url: `${worker.origin}/app` })).toBe(200);
  });

  test("get the errors of functions whole", async () => {
    expect(await result(worker, "edge:actThrough")).toEqual({ code: "APP_REFUSES", status: 418, data: { big: 5n } });
    expect(await call(worker, "edge:act", { text: "refused" })).toMatchObject({
      status: 418,
      error: { code: "APP_REFUSES", data: { big: 5n } },
    });
    expect(await result(worker, "edge:readLog")).not.toContain("refused");
    expect(await code(worker, "edge:actWrong")).toBe("BAD_REQUEST");
    expect(await code(worker, "edge:actForEver")).toBe("RUN_DEPTH_EXCEEDED");
  });
});

test("probes, unknown reserved paths and headers of every answer", async () => {
  for (const path of ["/_lunora/status", "/_lunora/health", "/_lunora/health/ready"]) {
    const response = await worker.fetch(path);
    expect([response.status, await response.json()]).toEqual([200, { ok: true }]);
    expect((await worker.fetch(path, { method: "HEAD" })).status).toBe(200);
    expect(response.headers.get("x-lunora-region")).toBe("here");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
  }
  for (const path of ["/_lunora", "/_lunora/", "/_lunora/nothing", "/_lunora/rpc/x", "/_lunora/constructor"]) {
    const response = await worker.fetch(path, { method: "POST" });
    expect([response.status, ((await response.json()) as Loose).error.code], path).toEqual([404, "NOT_FOUND"]);
  }
  expect(((await (await worker.fetch("/_lunorax")).json()) as Loose).path).toBe("/_lunorax");
});

test("a fan-out over 100 shards brings what they have; one that fails, one that refuses and one that hangs are data", async () => {
  await worker.stop();
  worker = await TestWorker.start({ entry: appEntry("edge"), namespaces: NAMESPACES });
  const token = { token: "ann" };
  expect(await result(worker, "edge:all", {}, token)).toEqual({ data: [], errors: [], ok: 0, failed: 0 });
  expect(await result(worker, "edge:total", {}, token)).toMatchObject({ data: 0 });
  const rooms = [...Array.from({ length: 97 }, (_, index) => `room ${index}`), "failing", "slow", "coded"];
  await Promise.all(rooms.map((room, index) => result(worker, "edge:add", { room, value: index }, token)));

  const all = await result(worker, "edge:all", {}, token);
  expect([all.ok, all.failed]).toEqual([97, 3]);
  expect(all.data.map((row: Loose) => row.value)).toEqual(Array.from({ length: 97 }, (_, index) => 96 - index));
  expect(all.errors.toSorted((left: Loose, right: Loose) => (left.shardKey < right.shardKey ? -1 : 1))).toEqual([
    { shardKey: "coded", code: "CONFLICT", message: "this shard refuses", timedOut: false },
    { shardKey: "failing", code: "INTERNAL", message: "Internal error", timedOut: false },
    { shardKey: "slow", code: "SHARD_TIMEOUT", message: expect.any(String), timedOut: true },
  ]);
  const top = await result(worker, "edge:top", {}, token);
  expect(top.data.map((row: Loose) => row.value)).toEqual([96, 95, 94]);
  expect((await result(worker, "edge:total", {}, token)).data).toBe((96 * 97) / 2);
  expect(await result(worker, "edge:actAll", {}, token)).toMatchObject({ data: (96 * 97) / 2, ok: 97, failed: 3 });
  expect(await result(worker, "edge:notRows", {}, token)).toMatchObject({ data: [], ok: 0, failed: 100 });
});
