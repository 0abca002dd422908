import { functionReference } from "@lunora/protocol";
import type { FunctionReference } from "@lunora/protocol";
import { describe, expect, it } from "vitest";

import { batch, batchCall } from "./batch.ts";
import { LunoraClient } from "./index.ts";
import type { LunoraClientOptions } from "./index.ts";

type List = FunctionReference<"query", { channelId: string; limit?: number }, { n: bigint }[], "public">;
type Count = FunctionReference<"query", {}, number, "public">;
type Send = FunctionReference<"mutation", { body: string }, string, "public">;
type Mail = FunctionReference<"action", { to: string }, undefined, "public">;

const list = functionReference<List>("messages:list", "query", { kind: "root" });
const count = functionReference<Count>("messages:count", "query", { kind: "root" });
const send = functionReference<Send>("messages:send", "mutation", { kind: "root" });
const mail = functionReference<Mail>("mail:send", "action", { kind: "root" });

/** The fields of both envelopes. */
interface SentBody {
  readonly functionPath: string;
  readonly args: unknown;
  readonly shardKey?: string;
  readonly calls: readonly { readonly id: string; readonly mutationId?: string }[];
}

interface Sent {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: SentBody;
}

type Answer = (sent: Sent) => Response | Error;

const ok = (result?: unknown): Response => Response.json({ result });
const failed = (code: string, status: number, more: object = {}): Response =>
  Response.json({ error: { code, message: `failed with ${code}`, ...more } }, { status });
const slots = (...bodies: unknown[]): Response =>
  Response.json({ results: bodies.map((body, position) => ({ id: String(position), body })) });
const away = (): Error => new TypeError("fetch failed");

/** A client whose requests are answered in turn, the last answer repeated, and whose sleeps take no time. */
function clientWith(answers: readonly Answer[], options: Partial<LunoraClientOptions> = {}) {
  const sent: Sent[] = [];
  const sleeps: number[] = [];
  let minted = 0;
  const client = new LunoraClient({
    url: "https://app.example/",
    fetch: async (url, init) => {
      const request: Sent = {
        url,
        headers: init.headers as Record<string, string>,
        body: JSON.parse(init.body as string),
      };
      const answer = answers[Math.min(sent.length, answers.length - 1)] as Answer;
      sent.push(request);
      const response = answer(request);
      if (response instanceof Error) throw response;
      return response;
    },
    ...options,
    environment: {
      random: () => 0.5,
      randomBytes: (length) => new Uint8Array(length).fill(minted++),
      setTimer: (milliseconds, callback) => {
        sleeps.push(milliseconds);
        queueMicrotask(callback);
        return () => {};
      },
      ...options.environment,
    },
  });
  return { client, sent, sleeps };
}

describe("a call", () => {
  it("sends encoded arguments and decodes the result", async () => {
    const { client, sent } = clientWith([() => ok([{ n: ["$lunora.wire$", "bigint", "5"] }])]);
    await expect(client.query(list, { channelId: "general", limit: 2 })).resolves.toEqual([{ n: 5n }]);
    expect(sent).toEqual([
      {
        url: "https://app.example/_lunora/rpc",
        headers: { "content-type": "application/json" },
        body: { functionPath: "messages:list", args: { channelId: "general", limit: 2 } },
      },
    ]);
  });

  it("takes a missing result as undefined and missing arguments as none", async () => {
    const { client, sent } = clientWith([() => ok()]);
    await expect(client.action(mail, { to: "x" })).resolves.toBeUndefined();
    await client.query(count);
    await client.query(count, undefined, { shardKey: "general" });
    expect(sent.map(({ body }) => body)).toEqual([
      { functionPath: "mail:send", args: { to: "x" } },
      { functionPath: "messages:count", args: {} },
      { functionPath: "messages:count", args: {}, shardKey: "general" },
    ]);
  });

  it("carries the token of the moment", async () => {
    const { client, sent } = clientWith([() => ok(1)], { token: "first" });
    await client.query(count);
    client.setAuthToken(async () => "second");
    await client.query(count);
    client.setAuthToken(null);
    await client.query(count);
    expect(sent.map(({ headers }) => headers["authorization"])).toEqual(["Bearer first", "Bearer second", undefined]);
  });

  it("throws the server's coded error, data decoded", async () => {
    const more = { data: { at: ["$lunora.wire$", "date", 5] }, hint: "h", docsUrl: "https://d.example" };
    const { client } = clientWith([() => failed("CONFLICT", 409, more)]);
    await expect(client.mutation(send, { body: "x" })).rejects.toMatchObject({
      name: "LunoraError",
      code: "CONFLICT",
      status: 409,
      message: "failed with CONFLICT",
      data: { at: new Date(5) },
      hint: "h",
      docsUrl: "https://d.example",
    });
  });

  it.each<[string, () => Response, number]>([
    ["a page of a proxy", () => new Response("<html>", { status: 502 }), 502],
    ["JSON without an envelope", () => Response.json({ oops: true }, { status: 404 }), 404],
    ["a success that is not JSON", () => new Response("hello"), 500],
    ["a success that is an array", () => Response.json([1]), 500],
    ["an envelope without a code", () => Response.json({ error: "x" }, { status: 418 }), 418],
  ])("takes %s for INTERNAL", async (_, answer, status) => {
    const { client } = clientWith([answer]);
    await expect(client.query(count)).rejects.toMatchObject({ code: "INTERNAL", status });
  });

  it("refuses arguments that cannot travel, without sending", async () => {
    const { client, sent } = clientWith([() => ok(1)]);
    await expect(client.mutation(send, { body: (() => 1) as never })).rejects.toMatchObject({
      code: "WIRE_VALUE_UNSUPPORTED",
    });
    expect(sent).toEqual([]);
  });
});

describe("repeating", () => {
  it.each<[string, Answer]>([
    ["a network failure", away],
    ["RELOADED", () => failed("RELOADED", 503)],
    ["RELOADING", () => failed("RELOADING", 503)],
    ["SHARD_UNAVAILABLE", () => failed("SHARD_UNAVAILABLE", 503)],
  ])("a query and a mutation after %s, not an action", async (_, transient) => {
    const answers = [transient, transient, () => ok("done")];
    const query = clientWith(answers);
    await expect(query.client.query(count)).resolves.toBe("done");
    expect(query.sleeps).toEqual([75, 150]);

    const mutation = clientWith(answers);
    await expect(mutation.client.mutation(send, { body: "x" })).resolves.toBe("done");
    const ids = mutation.sent.map(({ headers }) => headers["x-lunora-mutation-id"]);
    expect(ids).toEqual(["AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAA"]);

    const action = clientWith(answers);
    await expect(action.client.action(mail, { to: "x" })).rejects.toMatchObject({ name: "LunoraError", status: 503 });
    expect(action.sent).toHaveLength(1);
  });

  it("gives up after the last attempt, with the last error", async () => {
    const { client, sent, sleeps } = clientWith([away], { retry: { attempts: 3 } });
    await expect(client.query(count)).rejects.toMatchObject({ code: "NETWORK_FAILED", status: 503 });
    expect(sent).toHaveLength(3);
    expect(sleeps).toHaveLength(2);
  });

  it("does not repeat what the server has decided", async () => {
    const { client, sent } = clientWith([() => failed("FORBIDDEN", 403)]);
    await expect(client.query(count)).rejects.toMatchObject({ code: "FORBIDDEN" });
    expect(sent).toHaveLength(1);
  });

  it("names each mutation anew, unless told", async () => {
    const { client, sent } = clientWith([() => ok("x")]);
    await client.mutation(send, { body: "a" });
    await client.mutation(send, { body: "a" });
    await client.mutation(send, { body: "a" }, { mutationId: "mine" });
    const ids = sent.map(({ headers }) => headers["x-lunora-mutation-id"]);
    expect(ids[0]).not.toBe(ids[1]);
    expect(ids[2]).toBe("mine");
  });

  it("keeps the caller's reason also where nothing is repeated", async () => {
    const controller = new AbortController();
    const { client } = clientWith([
      () => {
        controller.abort(new Error("changed my mind"));
        return away();
      },
    ]);
    await expect(client.action(mail, { to: "x" }, { signal: controller.signal })).rejects.toThrow("changed my mind");
  });

  it("stops when it is aborted, with the caller's reason", async () => {
    const controller = new AbortController();
    const reason = new Error("changed my mind");
    const { client, sent } = clientWith([
      () => {
        controller.abort(reason);
        return away();
      },
    ]);
    await expect(client.query(count, {}, { signal: controller.signal })).rejects.toBe(reason);
    expect(sent).toHaveLength(1);
  });
});

describe("a batch", () => {
  it("settles each call on its own", async () => {
    const { client, sent } = clientWith([
      () =>
        slots(
          { result: [{ n: ["$lunora.wire$", "bigint", "1"] }] },
          { error: { code: "FORBIDDEN", message: "no", status: 403 } },
          {},
        ),
    ]);
    const results = await batch(client, [
      batchCall(list, { channelId: "general" }),
      batchCall(send, { body: "x" }),
      batchCall(mail, { to: "y" }),
    ]);
    expect(results[0]).toEqual({ ok: true, value: [{ n: 1n }] });
    expect(results[1]).toMatchObject({ ok: false, error: { code: "FORBIDDEN", status: 403 } });
    expect(results[2]).toEqual({ ok: true, value: undefined });
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({
      url: "https://app.example/_lunora/rpc-batch",
      body: {
        calls: [
          { id: "0", functionPath: "messages:list", args: { channelId: "general" } },
          { id: "1", functionPath: "messages:send", args: { body: "x" }, mutationId: "AAAAAAAAAAAAAAAAAAAAAA" },
          { id: "2", functionPath: "mail:send", args: { to: "y" } },
        ],
      },
    });
  });

  it("repeats what was left out or transient, and no action", async () => {
    const { client, sent } = clientWith([
      () =>
        slots(
          { error: { code: "SHARD_UNAVAILABLE", message: "x", status: 503 } },
          { error: { code: "SHARD_ERROR", message: "x", status: 503 } },
        ),
      ({ body }) => Response.json({ results: body.calls.map(({ id }) => ({ id, body: { result: `late ${id}` } })) }),
    ]);
    const results = await batch(client, [
      batchCall(count),
      batchCall(mail, { to: "y" }),
      batchCall(send, { body: "x" }),
    ]);
    expect(results[0]).toEqual({ ok: true, value: "late 0" });
    expect(results[1]).toMatchObject({ ok: false, error: { code: "SHARD_ERROR" } });
    expect(results[2]).toEqual({ ok: true, value: "late 2" });
    expect(sent[1]?.body.calls.map(({ id }) => id)).toEqual(["0", "2"]);
    expect(sent[1]?.body.calls[1]?.mutationId).toBe(sent[0]?.body.calls[2]?.mutationId);
  });

  it("takes a coded error without results for the verdict on all", async () => {
    const { client, sent } = clientWith([() => failed("UNAUTHORIZED", 401)]);
    const results = await batch(client, [batchCall(count), batchCall(count)]);
    expect(results).toMatchObject([
      { error: { code: "UNAUTHORIZED", status: 401 } },
      { error: { code: "UNAUTHORIZED" } },
    ]);
    expect(sent).toHaveLength(1);
  });

  it("repeats the whole after a network failure, and gives up in the end", async () => {
    const { client, sent } = clientWith([away], { retry: { attempts: 3 } });
    await expect(batch(client, [batchCall(count), batchCall(mail, { to: "y" })])).resolves.toMatchObject([
      { ok: false, error: { code: "NETWORK_FAILED" } },
      { ok: false, error: { code: "NETWORK_FAILED" } },
    ]);
    expect(sent.map(({ body }) => body.calls.length)).toEqual([2, 1, 1]);
  });

  it("goes out in chunks of 500", async () => {
    const { client, sent } = clientWith([
      ({ body }) => Response.json({ results: body.calls.map(({ id }) => ({ id, body: { result: Number(id) } })) }),
    ]);
    const results = await batch(
      client,
      Array.from({ length: 1001 }, () => batchCall(count)),
    );
    expect(results.map((result) => (result.ok ? result.value : -1))).toEqual(
      Array.from({ length: 1001 }, (_, index) => index),
    );
    expect(sent.map(({ body }) => body.calls.length)).toEqual([500, 500, 1]);
  });

  it("of nothing sends nothing", async () => {
    const { client, sent } = clientWith([away]);
    await expect(batch(client, [])).resolves.toEqual([]);
    expect(sent).toEqual([]);
  });
});
