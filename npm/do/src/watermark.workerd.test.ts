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

const texts = async (): Promise<string[]> => result(worker, "live:list");
const stored = async (clientId: string): Promise<number | null> =>
  ((
    await inspect(worker, "sql", `SELECT last_mutation_id AS w FROM __client_watermark WHERE client_id = '${clientId}'`)
  )[0]?.w ?? null) as number | null;

/** How far the client is in each situation before the cell's entry comes. */
const SITUATIONS = ["fresh", "resumed", "restarted", "second socket"] as const;
const DONE = 3;

/** Positions relative to the watermark, and what they are answered with. */
const POSITIONS: readonly (readonly [name: string, seq: (watermark: number) => unknown, outcome: string])[] = [
  ["1", () => 1, "decided or runs"],
  ["w", (w) => w, "decided"],
  ["w+1", (w) => w + 1, "runs"],
  ["w+2", (w) => w + 2, "OUT_OF_ORDER"],
  ["2^53-1", () => Number.MAX_SAFE_INTEGER, "OUT_OF_ORDER"],
  ["0", () => 0, "BAD_REQUEST"],
  ["-1", () => -1, "BAD_REQUEST"],
  ["1.5", () => 1.5, "BAD_REQUEST"],
  ["2^53", () => 2 ** 53, "BAD_REQUEST"],
  // What NaN becomes in JSON.
  ["NaN", () => null, "BAD_REQUEST"],
  ["string", (w) => String(w + 1), "BAD_REQUEST"],
  ["object", () => ({}), "BAD_REQUEST"],
];

describe.each(SITUATIONS)("a %s client", (situation) => {
  test.each(POSITIONS)("pushes position %s", async (name, seqOf, outcome) => {
    const clientId = `${situation} ${name}`;
    const watermark = situation === "fresh" ? 0 : DONE;
    let client = await SocketClient.connect(worker, { clientId });
    for (let seq = 1; seq <= watermark; seq += 1)
      await client.push(clientId, [{ clientSeq: seq, functionPath: "live:add", args: { text: `${clientId} ${seq}` } }]);
    if (situation === "restarted") await worker.restart();
    if (situation !== "fresh") {
      if (situation !== "second socket") client.terminate();
      client = await SocketClient.connect(worker, { clientId });
      expect(client.connectAck.lastMutationId).toBe(watermark);
    }
    const before = await texts();
    const clientSeq = seqOf(watermark);
    const ack = await client.push(clientId, [
      { clientSeq, functionPath: "live:add", args: { text: `${clientId} cell` } },
    ]);
    const expected =
      outcome === "decided or runs"
        ? watermark === 0
          ? "runs"
          : "decided"
        : outcome === "decided" && watermark === 0
          ? "BAD_REQUEST"
          : outcome;
    const [answer] = ack.results;
    expect(answer.clientSeq).toEqual(clientSeq);
    switch (expected) {
      case "runs":
        expect(answer).toEqual({ clientSeq, result: expect.any(String) });
        expect(await texts()).toEqual([...before, `${clientId} cell`]);
        expect(ack.lastMutationId).toBe(watermark + 1);
        break;
      case "decided":
        // The result of the first time, which the client may have missed.
        expect(answer).toEqual({ clientSeq, result: expect.any(String) });
        expect(await texts()).toEqual(before);
        expect(ack.lastMutationId).toBe(watermark);
        break;
      default:
        expect(answer.error.code).toBe(expected);
        if (expected === "OUT_OF_ORDER") expect(answer.error.data).toEqual({ expected: watermark + 1 });
        expect(await texts()).toEqual(before);
        expect(ack.lastMutationId).toBe(watermark);
    }
    expect((await stored(clientId)) ?? 0).toBe(ack.lastMutationId);
    client.close();
  });
});

test("two tabs of one client share a sequence, two users with one client id do not", async () => {
  const [left, right] = [
    await SocketClient.connect(worker, { clientId: "tabs" }),
    await SocketClient.connect(worker, { clientId: "tabs" }),
  ];
  const other = await SocketClient.connect(worker, { clientId: "tabs" }, { token: "ann" });
  const push = (client: SocketClient, clientSeq: number): Promise<Loose> =>
    client.push("tabs", [{ clientSeq, functionPath: "live:add", args: { text: `tab ${clientSeq}` } }]);
  const first = await push(left, 1);
  const again = await push(right, 1);
  expect(again.results).toEqual(first.results);
  // The tab that did not push is told where the sequence is.
  expect(await right.next((frame) => frame.type === "settled")).toMatchObject({ lastMutationId: 1 });
  expect((await push(right, 2)).lastMutationId).toBe(2);
  expect((await push(other, 1)).lastMutationId).toBe(1);
  expect((await texts()).filter((text) => text === "tab 1")).toHaveLength(2);
  for (const client of [left, right, other]) client.close();
});

test("a rejection is decided, told again, and does not stop what follows", async () => {
  const client = await SocketClient.connect(worker, { clientId: "rejected" });
  const entries = [
    { clientSeq: 1, functionPath: "live:fail", args: { text: "rejected" } },
    { clientSeq: 2, functionPath: "live:nothing" },
    { clientSeq: 3, functionPath: "live:secret" },
    { clientSeq: 4, functionPath: "live:list" },
    { clientSeq: 5, functionPath: "live:add", args: { text: 5 } },
    { clientSeq: 6, functionPath: "live:add2Room", args: { room: "r", text: "elsewhere" } },
    { clientSeq: 7, functionPath: "live:add", args: { text: "after rejections" } },
  ];
  const ack = await client.push("rejected", entries);
  const codes = (frame: Loose): unknown[] => frame.results.map((entry: Loose) => entry.error?.code ?? "ok");
  expect(codes(ack)).toEqual([
    "CONFLICT",
    "FUNCTION_NOT_FOUND",
    "FUNCTION_NOT_FOUND",
    "BAD_REQUEST",
    "VALIDATION_ERROR",
    "SHARD_MISMATCH",
    "ok",
  ]);
  expect(ack.lastMutationId).toBe(7);
  await worker.restart();
  const later = await SocketClient.connect(worker, { clientId: "rejected" });
  const replay = await later.push("rejected", entries);
  expect(replay.results).toEqual(ack.results);
  expect((await texts()).filter((text) => text === "after rejections")).toHaveLength(1);
  later.close();
});

test("results are kept until the client has them", async () => {
  const client = await SocketClient.connect(worker, { clientId: "receives" });
  const add = (clientSeq: number): Loose => ({ clientSeq, functionPath: "live:add", args: { text: "kept" } });
  await client.push(
    "receives",
    Array.from({ length: 100 }, (_, index) => add(index + 1)),
  );
  const count = async (): Promise<number> =>
    (await inspect(worker, "sql", "SELECT count(*) AS n FROM __push_result WHERE client_id = 'receives'"))[0].n;
  expect(await count()).toBe(100);
  await client.push("receives", [add(101)], { received: 90 });
  // The newest is in the row of the watermark.
  expect(await count()).toBe(10);
  // Forgotten is not undone: it is a success whose result is gone.
  expect((await client.push("receives", [add(5)])).results).toEqual([{ clientSeq: 5 }]);
  expect((await client.push("receives", [add(95)])).results).toEqual([{ clientSeq: 95, result: expect.any(String) }]);
  client.close();
});

test("a call over HTTP with a place in the sequence obeys the same watermark", async () => {
  const post = async (seq: string): Promise<Loose> => {
    const response = await worker.fetch("/_lunora/rpc", {
      method: "POST",
      headers: { "content-type": "application/json", "x-lunora-client-id": "http", "x-lunora-client-seq": seq },
      body: JSON.stringify({ functionPath: "live:add", args: { text: `http ${seq}` } }),
    });
    return { status: response.status, ...((await response.json()) as object) };
  };
  const first = await post("1");
  expect(first).toMatchObject({ status: 200, result: expect.any(String), lastMutationId: 1 });
  expect(await post("1")).toMatchObject({ status: 200, result: first.result, lastMutationId: 1 });
  expect(await post("3")).toMatchObject({ status: 409, error: { code: "OUT_OF_ORDER", data: { expected: 2 } } });
  for (const wrong of ["0", "-1", "1.5", "9007199254740992", "NaN", "x"])
    expect(await post(wrong)).toMatchObject({ status: 400, error: { code: "BAD_REQUEST" } });
  expect((await texts()).filter((text) => text.startsWith("http "))).toEqual(["http 1"]);
});

describe("a number that was another entry's", () => {
  const entry = (clientSeq: number, mutationId?: string): Loose => ({
    clientSeq,
    ...(mutationId === undefined ? {} : { mutationId }),
    functionPath: "live:add",
    args: { text: `number of ${mutationId}` },
  });
  const written = async (...ids: string[]): Promise<number[]> => {
    const all = await texts();
    return ids.map((id) => all.filter((text) => text === `number of ${id}`).length);
  };

  test("is not a success: the entry, and those behind it, come again under another one", async () => {
    const clientId = "misplaced";
    const client = await SocketClient.connect(worker, { clientId });
    // Of a page that has ended, and that alone knew of it.
    await client.push(clientId, [entry(1, "p late")]);
    const ack = await client.push(clientId, [entry(1, "p stored"), entry(2, "p behind")]);
    expect(ack).toMatchObject({
      results: [
        { clientSeq: 1, error: { code: "OUT_OF_ORDER", data: { expected: 2 } } },
        { clientSeq: 2, error: { code: "OUT_OF_ORDER", data: { expected: 2 } } },
      ],
      lastMutationId: 1,
    });
    expect(await written("p late", "p stored", "p behind")).toEqual([1, 0, 0]);
    await worker.restart();
    const later = await SocketClient.connect(worker, { clientId });
    const again = await later.push(clientId, [entry(2, "p stored"), entry(3, "p behind")]);
    expect(again).toMatchObject({ results: [{ result: expect.any(String) }, {}], lastMutationId: 3 });
    expect(await written("p late", "p stored", "p behind")).toEqual([1, 1, 1]);
    later.close();
  });

  test("also when its result has a row of its own", async () => {
    const clientId = "misplaced many";
    const client = await SocketClient.connect(worker, { clientId });
    const seqs = Array.from({ length: 100 }, (_, index) => index + 1);
    await client.push(
      clientId,
      seqs.map((seq) => entry(seq, `q ${seq}`)),
    );
    const { results } = await client.push(clientId, [entry(50, "q other")]);
    expect(results).toMatchObject([{ error: { code: "OUT_OF_ORDER", data: { expected: 101 } } }]);
    client.close();
  });

  test("answers an entry that was decided under a third number, and one without a name", async () => {
    const clientId = "misplaced known";
    const client = await SocketClient.connect(worker, { clientId });
    const first = await client.push(clientId, [entry(1, "s one"), entry(2, "s two")]);
    const { results } = await client.push(clientId, [entry(1, "s two"), entry(2), entry(3, "s three")]);
    expect(results).toMatchObject([
      { ...first.results[1], clientSeq: 1 },
      { ...first.results[1], clientSeq: 2 },
      { clientSeq: 3, result: expect.any(String) },
    ]);
    expect(await written("s one", "s two", "s three")).toEqual([1, 1, 1]);
    client.close();
  });
});

describe("an entry that comes again under another number has its effect once", () => {
  const entry = (clientSeq: number, mutationId: string, text = mutationId): Loose => ({
    clientSeq,
    mutationId,
    functionPath: "live:add",
    args: { text },
  });
  const times = async (text: string): Promise<number> => (await texts()).filter((found) => found === text).length;
  /** A call of its own over HTTP; `x-lunora-client-id` when there is a client. */
  const call = async (mutationId: string, clientId?: string, functionPath = "live:add"): Promise<Loose> => {
    const response = await worker.fetch("/_lunora/rpc", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-lunora-mutation-id": mutationId,
        ...(clientId === undefined ? {} : { "x-lunora-client-id": clientId }),
      },
      body: JSON.stringify({ functionPath, args: { text: mutationId } }),
    });
    return response.json();
  };

  test("on the socket, in the same group, later, and after a restart", async () => {
    const clientId = "renumbers";
    let client = await SocketClient.connect(worker, { clientId });
    const first = await client.push(clientId, [entry(1, "r one"), entry(2, "r two"), entry(3, "r one")]);
    expect(first.lastMutationId).toBe(3);
    expect(first.results[2]).toEqual({ ...first.results[0], clientSeq: 3 });
    const second = await client.push(clientId, [entry(4, "r two"), entry(5, "r three")]);
    expect(second.results[0]).toEqual({ ...first.results[1], clientSeq: 4 });
    await worker.restart();
    client = await SocketClient.connect(worker, { clientId });
    const third = await client.push(clientId, [entry(6, "r three"), entry(7, "r one")]);
    expect(third.results).toEqual([
      { ...second.results[1], clientSeq: 6 },
      { ...first.results[0], clientSeq: 7 },
    ]);
    expect(third.lastMutationId).toBe(7);
    for (const text of ["r one", "r two", "r three"]) expect(await times(text)).toBe(1);
    // Under its new number it is told again like any other.
    expect((await client.push(clientId, [entry(7, "r one")])).results).toEqual([third.results[1]]);
    client.close();
  });

  test("a rejection, and a success without a result", async () => {
    const clientId = "renumbers rejected";
    const client = await SocketClient.connect(worker, { clientId });
    const entries = [
      { clientSeq: 1, mutationId: "rejected", functionPath: "live:fail", args: { text: "renumbered" } },
      { clientSeq: 2, mutationId: "void", functionPath: "live:quiet", args: { text: "quiet renumbered" } },
    ];
    const first = await client.push(clientId, entries);
    const again = await client.push(
      clientId,
      entries.map((sent, index) => ({ ...sent, clientSeq: 3 + index })),
    );
    expect(again.results).toEqual([{ ...first.results[0], clientSeq: 3 }, { clientSeq: 4 }]);
    expect(await times("quiet renumbered")).toBe(1);
    client.close();
  });

  test("when it was one of very many", async () => {
    const clientId = "renumbers many";
    const client = await SocketClient.connect(worker, { clientId });
    const entries = Array.from({ length: 300 }, (_, index) => entry(index + 1, `many ${index}`));
    const first = await client.push(clientId, entries);
    const again = await client.push(
      clientId,
      entries.map((sent) => ({ ...sent, clientSeq: sent.clientSeq + 300 })),
    );
    expect(again.results.map((answer: Loose) => answer.result)).toEqual(
      first.results.map((answer: Loose) => answer.result),
    );
    expect(again.lastMutationId).toBe(600);
    expect((await texts()).filter((text) => text.startsWith("many "))).toHaveLength(300);
    client.close();
  });

  test.each([
    ["with its client's id", "renumbers http"],
    ["without", undefined],
  ])("when it was a call over HTTP before, %s", async (name, clientId) => {
    const mutationId = `http ${name}`;
    const answer = await call(mutationId, clientId);
    const pusher = clientId ?? "renumbers nobody";
    const client = await SocketClient.connect(worker, { clientId: pusher });
    const ack = await client.push(pusher, [entry(1, mutationId)]);
    expect(ack).toMatchObject({ results: [{ clientSeq: 1, result: answer.result }], lastMutationId: 1 });
    expect(await times(mutationId)).toBe(1);
    client.close();
  });

  test("and a call over HTTP, when it was pushed before", async () => {
    const clientId = "renumbers to http";
    const client = await SocketClient.connect(worker, { clientId });
    const ack = await client.push(clientId, [entry(1, "pushed")]);
    expect(await call("pushed", clientId)).toMatchObject({ result: ack.results[0].result });
    expect(await times("pushed")).toBe(1);
    client.close();
  });

  test("but not for another client, nor for another function, which is refused", async () => {
    const [one, two] = [
      await SocketClient.connect(worker, { clientId: "one" }),
      await SocketClient.connect(worker, { clientId: "two" }),
    ];
    await one.push("one", [entry(1, "shared")]);
    await two.push("two", [entry(1, "shared")]);
    expect(await times("shared")).toBe(2);
    const ack = await one.push("one", [
      { clientSeq: 2, mutationId: "shared", functionPath: "live:quiet", args: { text: "not this" } },
    ]);
    expect(ack).toMatchObject({ results: [{ clientSeq: 2, error: { code: "CONFLICT" } }], lastMutationId: 2 });
    expect(await times("not this")).toBe(0);
    for (const client of [one, two]) client.close();
  });
});

test("a client that was forgotten counts from 1 again, and what it did is not done again", async () => {
  const clientId = "forgotten";
  let client = await SocketClient.connect(worker, { clientId });
  const entry = (clientSeq: number, text: string): Loose => ({
    clientSeq,
    mutationId: text,
    functionPath: "live:add",
    args: { text },
  });
  await client.push(clientId, [entry(1, "forgotten 1"), entry(2, "forgotten 2")]);
  client.close();
  await inspect(worker, "sql", "UPDATE __client_watermark SET seen = 1 WHERE client_id = 'forgotten'");
  await inspect(worker, "sql", "DELETE FROM __lunora_meta WHERE key = 'forget_clients_at'");
  await inspect(worker, "ringNow", null);
  await vi.waitFor(async () => expect(await stored(clientId)).toBeNull(), { timeout: 30_000 });
  client = await SocketClient.connect(worker, { clientId });
  expect(client.connectAck.lastMutationId).toBe(0);
  // It never heard of its second entry's end.
  const ack = await client.push(clientId, [entry(1, "forgotten 2"), entry(2, "forgotten 3")]);
  expect(ack).toMatchObject({
    results: [{ clientSeq: 1 }, { clientSeq: 2, result: expect.any(String) }],
    lastMutationId: 2,
  });
  expect((await texts()).filter((text) => text.startsWith("forgotten"))).toEqual([
    "forgotten 1",
    "forgotten 2",
    "forgotten 3",
  ]);
  client.close();
});

test("ids of rows are derived from a mutation id that has the form, so that a client can mint the same", async () => {
  const client = await SocketClient.connect(worker, { clientId: "derives" });
  const mutationId = "AAECAwQFBgcICQoLDA0ODw";
  const { deriveId } = await import("@lunora/protocol");
  const ack = await client.push("derives", [
    { clientSeq: 1, functionPath: "live:addTwo", mutationId },
    { clientSeq: 2, functionPath: "live:addTwo", mutationId: "not derivable" },
  ]);
  expect(ack.results[0].result).toEqual([
    deriveId(mutationId, "notes", 0),
    deriveId(mutationId, "notes", 1),
    deriveId(mutationId, "parents", 0),
  ]);
  expect(new Set([...ack.results[0].result, ...ack.results[1].result]).size).toBe(6);
  client.close();
});
