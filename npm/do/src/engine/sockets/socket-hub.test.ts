import { LunoraError } from "@lunora/errors";
import { defineSchema, defineTable, initLunora, v } from "@lunora/server";
import type { FunctionRegistry, LunoraDefinition } from "@lunora/server";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import type { Loose } from "../../../testing/loose.ts";
import { MemoryShard, MemorySocket } from "../../../testing/memory-shard.ts";
import type { MemoryClient } from "../../../testing/memory-shard.ts";

const { query, mutation } = initLunora.dataModel<Loose>().create();
const schema = defineSchema({ notes: defineTable({ text: v.string() }) });

/** What `held` waits for, and what the rule waits for by path. */
let held = Promise.withResolvers<void>();
let rules: Record<string, Promise<boolean>> = {};
let onRule: (path: string | null) => void = () => {};

const handlers: Record<string, Loose> = {
  add: mutation.input({ text: v.string() }).mutation(async ({ ctx, args }: Loose) => ctx.db.insert("notes", args)),
  list: query.query(async ({ ctx }: Loose) => (await ctx.db.query("notes").collect()).map((row: Loose) => row.text)),
  count: query.input({ n: v.number() }).query(async ({ ctx }: Loose) => ctx.db.notes.count()),
  pad: query.input({ n: v.number(), length: v.number() }).query(async ({ ctx, args }: Loose) => ({
    count: await ctx.db.notes.count(),
    text: "x".repeat(args.length),
  })),
  held: query.query(async () => held.promise),
  fails: query.query(async () => {
    throw new LunoraError("CONFLICT", "with much to say", { data: "x".repeat(2_000_000) });
  }),
  long: mutation.input({ length: v.number() }).mutation(async ({ args }: Loose) => "x".repeat(args.length)),
};
const module = async (): Promise<Record<string, unknown>> => handlers;
const functions: FunctionRegistry = Object.fromEntries(
  Object.entries(handlers).map(([exportName, { kind, visibility }]) => [
    `n:${exportName}`,
    { kind, visibility, address: { kind: "root" }, module, exportName } as const,
  ]),
);
const definition: LunoraDefinition = {
  schema,
  functions,
  app: {
    authorizeShard: async ({ functionPath }) => {
      onRule(functionPath);
      return rules[functionPath ?? ""] ?? true;
    },
  },
};

let shard: MemoryShard;

beforeEach(async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  held = Promise.withResolvers<void>();
  rules = {};
  onRule = () => {};
  shard = await new MemoryShard(definition, { ruleDeadline: 50 }).open();
});

afterEach(() => {
  vi.restoreAllMocks();
  shard.sqlite.close();
});

const subscribe = (id: string, functionPath: string, args: object = {}): object => ({
  type: "subscribe",
  id,
  query: { functionPath, args },
});
const push = (clientId: string, ...entries: object[]): object => ({
  type: "push",
  id: `push ${clientId}`,
  clientId,
  entries,
});
const add = (clientSeq: unknown, text: string): object => ({ clientSeq, functionPath: "n:add", args: { text } });

/** Holds up the shard's queue, until `held` is resolved. */
async function holdQueue(): Promise<MemoryClient> {
  const client = shard.connect();
  client.send(subscribe("held", "n:held"));
  await shard.settle();
  return client;
}

describe("what is deep or long in a frame", () => {
  test.each([
    ["a position", push("c", add("deep", "x"))],
    ["a whisper", { type: "whisper", topic: "t", data: "deep" }],
    ["arguments", subscribe("s", "n:list", { x: "deep" })],
    ["a context", { type: "subscribe", id: "s", context: "deep", query: { functionPath: "n:list", args: {} } }],
  ])("%s as deep as a frame allows ends the socket, not the shard", async (_, frame) => {
    const client = shard.connect("c");
    await shard.settle();
    const text = JSON.stringify(frame).replace('"deep"', "[".repeat(400_000) + "]".repeat(400_000));
    shard.engine.receive(client.connection, text);
    await shard.settle();
    expect(client.socket.closed).toMatchObject({ code: 1008 });
    expect(client.frames.at(-1)).toMatchObject({ type: "error", error: { code: "WIRE_TOO_DEEP" } });
    expect((await shard.call("n:add", { text: "others" })).ok).toBe(true);
  });

  test("positions that fill a frame are told in their places, in a frame", async () => {
    const client = shard.connect("c");
    // What is said of each is longer than the entry that it is said of.
    const long = Array.from({ length: 100 }, () => add("1".repeat(10_400), "x"));
    client.send(push("c", ...long, add(1, "one")));
    await shard.settle();
    const answer = client.frames.at(-1) as unknown as { results: { clientSeq: unknown; error?: object }[] };
    expect(answer).toMatchObject({ lastMutationId: 1 });
    expect(answer.results).toHaveLength(101);
    expect(answer.results.at(-1)).toMatchObject({ clientSeq: 1 });
    expect(answer.results.slice(0, -1).every(({ error }) => error !== undefined)).toBe(true);
    expect(answer.results.some(({ clientSeq }) => clientSeq === 0)).toBe(true);
    for (const text of client.socket.texts) expect(text.length).toBeLessThan(1_048_576);
  });

  test.each([["1"], [{ a: [1] }], [1.5], [null], [true], [-1], [2 ** 53]])(
    "a position that is %j is told in its place",
    async (clientSeq) => {
      const client = shard.connect("c");
      client.send(push("c", add(clientSeq, "x"), add(1, "one")));
      await shard.settle();
      expect(client.frames.at(-1)).toMatchObject({
        results: [{ clientSeq, error: { code: "BAD_REQUEST" } }, { clientSeq: 1 }],
        lastMutationId: 1,
      });
    },
  );

  test("an error of a query that is longer than a frame is told shorter", async () => {
    const client = shard.connect();
    client.send(subscribe("s", "n:fails"));
    await shard.settle();
    expect(client.frames.at(-1)).toMatchObject({ type: "error", id: "s", error: { code: "CONFLICT" } });
    for (const text of client.socket.texts) expect(text.length).toBeLessThan(1_048_576);
  });

  test.each(["\ud800", "x\udc00y"])("%j names nothing", async (name) => {
    for (const frame of [
      push(name, add(1, "x")),
      subscribe(name, "n:list"),
      { type: "whisper_subscribe", topic: name },
    ]) {
      const client = shard.connect("c");
      await shard.settle();
      client.send(frame);
      expect(client.frames.at(-1)).toMatchObject({ type: "error", error: { code: "FRAME_MALFORMED" } });
    }
  });
});

describe("what one socket can make the shard hold", () => {
  test("an id that is refused and given again counts once", async () => {
    await holdQueue();
    const client = shard.connect();
    for (let index = 0; index < 1_100; index += 1) {
      client.send(subscribe(`s${index}`, "n:nothing"));
      client.send(subscribe(`s${index}`, "n:list"));
    }
    held.resolve();
    await shard.settle();
    for (let index = 1_100; index < 1_200; index += 1) client.send(subscribe(`s${index}`, "n:list"));
    await shard.settle();
    const live = new Set(client.frames.filter(({ type }) => type === "data").map(({ id }) => id));
    expect(live.size).toBe(1_000);
  });

  test("frames that wait are counted by their length, subscriptions as well", async () => {
    await holdQueue();
    const client = shard.connect();
    for (let index = 0; index < 30; index += 1)
      client.send(subscribe("same", "n:list", { padding: "x".repeat(900_000) }));
    expect(client.frames.filter(({ error }) => error?.code === "RATE_LIMITED").length).toBeGreaterThan(10);
    held.resolve();
    await shard.settle();
    client.send(subscribe("after", "n:list"));
    await shard.settle();
    expect(client.frames.at(-1)).toMatchObject({ type: "data", id: "after" });
  });

  test("frames of many sockets that wait are counted together", async () => {
    await holdQueue();
    const clients = Array.from({ length: 10 }, () => shard.connect());
    for (const client of clients)
      for (let index = 0; index < 15; index += 1)
        client.send(subscribe(`s${index % 3}`, "n:list", { padding: "x".repeat(900_000) }));
    const refused = clients.flatMap(({ frames }) => frames.filter(({ error }) => error?.code === "RATE_LIMITED"));
    expect(refused.length).toBeGreaterThan(50);
    held.resolve();
    await shard.settle();
    expect((await shard.call("n:add", { text: "others" })).ok).toBe(true);
  });

  test("giving up what nobody subscribed to takes no turn", async () => {
    await holdQueue();
    const client = shard.connect();
    for (let index = 0; index < 1_000; index += 1) client.send({ type: "unsubscribe", id: `nothing ${index}` });
    expect(client.connection.pending).toBe(0);
    held.resolve();
    await shard.settle();
    expect(client.frames.map(({ type }) => type)).toEqual(["ack"]);
  });

  test("results of one push that no frame can carry are not held together", async () => {
    const client = shard.connect("c");
    const entries = Array.from({ length: 60 }, (_, index) => ({
      clientSeq: index + 1,
      functionPath: "n:long",
      args: { length: 900_000 },
    }));
    client.send(push("c", ...entries));
    await shard.settle();
    const ack = client.frames.find(({ id }) => id === "push c");
    expect(ack.results).toHaveLength(60);
    expect(ack.lastMutationId).toBe(60);
    expect(ack.results.filter(({ result }: Loose) => result !== undefined)).toHaveLength(1);
  });
});

describe("whispers and sleep", () => {
  const joined = (topic: string): object => ({ type: "whisper_subscribe", topic });
  const heard = async (client: MemoryClient, topic: string): Promise<boolean> => {
    const other = shard.connect();
    other.send({ type: "whisper", topic, data: "heard?" });
    await shard.settle();
    return client.frames.some((frame) => frame.type === "whisper" && frame.topic === topic);
  };

  test("a topic that was joined last is kept", async () => {
    const client = shard.connect();
    await shard.settle();
    client.send(joined("t"));
    await shard.settle();
    await shard.sleep();
    expect(await heard(client, "t")).toBe(true);
  });

  test("a topic that was left last is not", async () => {
    const client = shard.connect();
    client.send(joined("t"));
    await shard.settle();
    client.send({ type: "whisper_unsubscribe", topic: "t" });
    await shard.settle();
    await shard.sleep();
    expect(await heard(client, "t")).toBe(false);
  });

  test("a topic that is left before the shard is awake again is not joined", async () => {
    const client = shard.connect();
    client.send(joined("t"));
    client.send(subscribe("s", "n:list"));
    await shard.settle();
    await shard.sleep(() => client.send({ type: "whisper_unsubscribe", topic: "t" }));
    await shard.settle();
    expect(await heard(client, "t")).toBe(false);
  });

  test("a topic that the rule refused is not joined by sleeping", async () => {
    const rule = Promise.withResolvers<boolean>();
    rules["whisper:closed"] = rule.promise;
    const client = shard.connect();
    client.send(joined("closed"));
    // Saves what there is while the rule is still asked.
    client.send(subscribe("s", "n:list"));
    await shard.settle();
    await shard.sleep();
    expect(await heard(client, "closed")).toBe(false);
    rule.resolve(false);
    await shard.settle();
    await shard.sleep();
    expect(await heard(client, "closed")).toBe(false);
  });

  test("a refusal during the first question is not forgotten in sleep", async () => {
    const rule = Promise.withResolvers<boolean>();
    rules["whisper:closed"] = rule.promise;
    const client = shard.connect();
    client.send(joined("closed"));
    client.send(subscribe("s", "n:list"));
    await shard.settle();
    rule.resolve(false);
    await shard.settle();
    expect(client.frames.at(-1)).toMatchObject({ id: "closed", error: { code: "FORBIDDEN_SHARD" } });
    await shard.sleep();
    rules = {};
    expect(await heard(client, "closed")).toBe(false);
  });

  test("nothing is said for a socket that has closed", async () => {
    const rule = Promise.withResolvers<boolean>();
    const listener = shard.connect();
    listener.send(joined("t"));
    await shard.settle();
    rules["whisper:t"] = rule.promise;
    const speaker = shard.connect();
    speaker.send({ type: "whisper", topic: "t", data: "late" });
    speaker.disconnect();
    rule.resolve(true);
    await shard.settle();
    expect(listener.frames.filter(({ type }) => type === "whisper")).toEqual([]);
  });

  test("the rule is not asked more often than a socket may whisper", async () => {
    const asked = vi.fn<(path: string | null) => void>();
    onRule = asked;
    const client = shard.connect();
    for (let index = 0; index < 500; index += 1) client.send({ type: "whisper", topic: `t${index}` });
    await shard.settle();
    expect(asked.mock.calls.length).toBeLessThanOrEqual(100);
  });
});

describe("a rule that never answers", () => {
  test.each(["n:add", "n:list"])("holds up `%s` for a while, and the shard not for ever", async (path) => {
    rules[path] = new Promise(() => {});
    const client = shard.connect("c");
    client.send(path === "n:add" ? push("c", add(1, "x")) : subscribe("s", "n:list"));
    client.send(subscribe("after", "n:count", { n: 1 }));
    await vi.waitFor(() => expect(client.frames.some(({ id }) => id === "after")).toBe(true));
    const told = client.frames.find(({ id }) => id === "push c" || id === "s");
    expect((told.results?.[0] ?? told).error.code).toBe("SHARD_UNAVAILABLE");
  });

  test("is no verdict on a push: the entry may come again", async () => {
    rules["n:add"] = new Promise(() => {});
    const client = shard.connect("c");
    client.send(push("c", add(1, "x")));
    await vi.waitFor(() => expect(client.frames.some(({ results }) => results !== undefined)).toBe(true));
    expect(client.frames.at(-1).lastMutationId).toBe(0);
    rules = {};
    client.send(push("c", add(1, "x")));
    await shard.settle();
    expect(client.frames.at(-1)).toMatchObject({ lastMutationId: 1 });
  });
});

test("nothing is sent to whoever has expired since", async () => {
  const identity = { userId: "ann", expiresAt: shard.now + 1_000 };
  const client = shard.connect("c", identity);
  client.send(subscribe("s", "n:list"));
  await shard.settle();
  const before = client.frames.length;
  shard.now += 1_000;
  expect((await shard.call("n:add", { text: "secret" })).ok).toBe(true);
  await shard.settle();
  expect(client.frames.slice(before)).toEqual([]);
  expect(client.socket.closed).toMatchObject({ code: 4001 });
});

describe("sockets of several clients", () => {
  test("an ack for another client's push says nothing of one's own", async () => {
    const [socket, other] = [shard.connect("own"), shard.connect("own")];
    await holdQueue();
    // Both share the next group.
    other.send(push("own", add(1, "x")));
    socket.send(push("another", add(1, "y")));
    held.resolve();
    await shard.settle();
    expect(socket.frames.filter(({ type }) => type === "settled")).toMatchObject([{ lastMutationId: 1 }]);
  });

  test("each is told its own long results again, whoever has the same client id", async () => {
    const clients = [null, { userId: "ann" }, { userId: "ben" }].map((identity) => shard.connect("c", identity));
    const long = (place: number): object =>
      push("c", { clientSeq: 1, functionPath: "n:long", args: { length: 2_000 + place } });
    for (const _ of ["first", "again"]) {
      clients.forEach((client, place) => client.send(long(place)));
      await shard.settle();
    }
    for (const [place, { frames }] of clients.entries()) {
      const told = frames.filter(({ results }) => results !== undefined);
      expect(told.map(({ results }) => results[0].result.length)).toEqual([2_000 + place, 2_000 + place]);
    }
  });

  test("nobody can have received what was not decided", async () => {
    const client = shard.connect("c");
    client.send({ ...push("c", add(1, "x")), received: 1_000 });
    await shard.settle();
    const [{ result }] = client.frames.at(-1).results;
    client.send(push("c", add(1, "x")));
    await shard.settle();
    expect(client.frames.at(-1).results).toEqual([{ clientSeq: 1, result }]);
  });

  test("what a user id has in it makes no two clients one", async () => {
    const [first, second] = [shard.connect("one", { userId: "a" }), shard.connect("two", { userId: "a\u0000b" })];
    first.send(push("b\u0000c", add(1, "x")));
    second.send(push("c", add(1, "y")));
    await shard.settle();
    expect((await shard.call("n:list")).body.result).toEqual(["x", "y"]);
  });
});

describe("a socket that is opened", () => {
  const opened = (): MemorySocket => {
    const socket = new MemorySocket();
    shard.engine.connect(socket, null);
    return socket;
  };
  const closed = async (socket: MemorySocket): Promise<Loose> => {
    while (socket.closed === undefined) {
      shard.now += 1;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return socket.closed;
  };

  test("is closed when `connect` does not come, and says so", async () => {
    shard = await new MemoryShard(definition, { connectDeadline: 20 }).open();
    const [first, second] = [opened(), opened()];
    const connected = shard.connect("c");
    expect(await closed(first)).toEqual({ code: 1008, reason: "CONNECT_TIMEOUT" });
    expect(first.frames).toEqual([{ type: "error", error: expect.objectContaining({ code: "CONNECT_TIMEOUT" }) }]);
    await closed(second);
    // After sleep as well.
    const third = opened();
    await shard.open();
    shard.engine.wake([third, connected.socket]);
    expect(await closed(third)).toMatchObject({ code: 1008 });
    expect(connected.socket.closed).toBeUndefined();
  });
});

describe("the results of live queries", () => {
  const pad = (client: MemoryClient, id: string, n: number): void =>
    client.send({ type: "subscribe", id, query: { functionPath: "n:pad", args: { n, length: 600 } } });
  const last = (client: MemoryClient, id: string): Loose => client.frames.findLast((frame) => frame.id === id);

  test("are held up to a limit; more is an error until there is room", async () => {
    shard = await new MemoryShard(definition, { liveResultsLength: 2_000 }).open();
    const [one, other] = [shard.connect("one"), shard.connect("other")];
    for (let n = 1; n <= 4; n += 1) pad(one, `q${n}`, n);
    // The same as somebody else's costs nothing.
    pad(other, "q1", 1);
    await shard.settle();
    expect(["q1", "q2", "q3", "q4"].map((id) => last(one, id).error?.code ?? "data")).toEqual([
      "data",
      "data",
      "data",
      "LIVE_RESULTS_LIMIT",
    ]);
    expect(last(other, "q1").type).toBe("data");
    one.send({ type: "unsubscribe", id: "q2" });
    await shard.settle();
    await shard.call("n:add", { text: "a" });
    await shard.settle();
    expect(["q1", "q3", "q4"].map((id) => last(one, id).data?.count)).toEqual([1, 1, 1]);
    pad(other, "q5", 5);
    await shard.settle();
    expect(last(other, "q5").error.code).toBe("LIVE_RESULTS_LIMIT");
    one.disconnect();
    await shard.settle();
    // Nothing changed: it is asked for again.
    pad(other, "q5", 5);
    await shard.settle();
    expect(last(other, "q5").data.count).toBe(1);
  });
});

describe("what is kept of sockets", () => {
  /** How often something is kept of the socket from now on. */
  function countKept(client: MemoryClient): () => number {
    const { socket } = client;
    const keep = socket.keep.bind(socket);
    let count = 0;
    socket.keep = (text) => {
      count += 1;
      keep(text);
    };
    return () => count;
  }

  test("shares a write with what comes soon after, however long it is", async () => {
    shard = await new MemoryShard(definition, { saveDelay: 250 }).open();
    const client = shard.connect();
    await shard.settle();
    const kept = countKept(client);
    const before = shard.sqlite.count;
    for (let index = 0; index < 500; index += 1) {
      client.send(subscribe(`s${index}`, "n:list"));
      // The queue is empty after each.
      await new Promise((resolve) => setImmediate(resolve));
    }
    const own = shard.sqlite.count - before;
    expect(kept()).toBeLessThan(50);
    // Each may read what the query reads, but none writes the others again.
    expect(own).toBeLessThan(1_500);
    while (kept() === 0 || client.socket.kept()?.includes("stored") !== true)
      await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const rows = shard.sqlite.exec("SELECT count(*) AS n FROM __socket_subscription").toArray();
    expect(rows).toEqual([{ n: 500 }]);
    expect(kept()).toBeLessThan(50);
  });

  test("waits while something is under way, and is then kept at once", async () => {
    shard = await new MemoryShard(definition, { saveDelay: 1 }).open();
    const client = shard.connect();
    await shard.settle();
    const kept = countKept(client);
    await holdQueue();
    client.send(subscribe("s", "n:list"));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(kept()).toBe(0);
    held.resolve();
    while (client.socket.kept()?.includes("n:list") !== true) await new Promise((resolve) => setTimeout(resolve, 1));
  });
});
