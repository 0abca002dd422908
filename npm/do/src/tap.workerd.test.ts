import { afterAll, beforeAll, expect, test } from "vitest";

import { appEntry, call, inspect, NAMESPACES, result } from "../testing/client.ts";
import type { Loose } from "../testing/loose.ts";
import { SocketClient } from "../testing/socket-client.ts";
import { TapListener } from "../testing/tap-listener.ts";
import { TestWorker } from "../testing/workerd.ts";

let listener: TapListener;
let worker: TestWorker;

beforeAll(async () => {
  listener = await TapListener.start();
  worker = await TestWorker.start({ entry: appEntry("tapped"), namespaces: NAMESPACES, tap: listener.path });
});

afterAll(async () => {
  await worker?.stop();
  await listener?.stop();
});

const is =
  (type: string, rest: Loose = {}) =>
  (event: Loose): boolean =>
    event.type === type && Object.entries(rest).every(([name, value]) => event[name] === value);

/** Events of what is done, by what they are. */
function told(): (type: string, rest?: Loose) => Promise<Loose> {
  const from = listener.events.length;
  return (type, rest) => listener.next(is(type, rest), from);
}

const connect = (clientId: string, token?: string): Promise<SocketClient> =>
  SocketClient.connect(worker, { clientId, caps: ["batch"] }, token === undefined ? {} : { token });

const entry = (clientSeq: number, name: string, args: object = {}): Loose => ({
  clientSeq,
  functionPath: `tapped:${name}`,
  args,
});

const subscribe = (id: string, channel: string, since: object = {}): object => ({
  type: "subscribe",
  id,
  query: { functionPath: "tapped:list", args: { channel }, ...since },
});

const shape = (id: string, channel: string, since: object = {}): object => ({
  type: "shape_subscribe",
  id,
  shape: { name: "channel", args: { channel } },
  ...since,
});

test("a mutation over HTTP is told by the Worker and by its object, under one id", async () => {
  const next = told();
  await result(worker, "tapped:add", { channel: "a", text: "told" });
  const request = await next("request", { functionPath: "tapped:add" });
  expect(request).toMatchObject({ path: "/_lunora/rpc", object: "__root__", userId: null, status: 200 });
  const ran = await next("call", { functionPath: "tapped:add" });
  expect(ran).toMatchObject({ object: "__root__", kind: "mutation", outcome: "ok", userId: null });
  expect(ran.call).toBe(request.call);
  expect(JSON.parse(ran.args)).toEqual({ channel: "a", text: "told" });
  expect(ran.toSeq).toBe(ran.fromSeq + 1);
  const commit = await next("commit", { toSeq: ran.toSeq });
  expect(commit).toMatchObject({ object: "__root__", by: "calls", fromSeq: ran.fromSeq });
  expect(commit.calls).toEqual([
    { call: ran.call, functionPath: "tapped:add", fromSeq: ran.fromSeq, toSeq: ran.toSeq },
  ]);
  expect(commit.changes).toMatchObject([{ seq: ran.toSeq, table: "notes", op: "insert" }]);
  expect(JSON.parse(commit.changes[0].after)).toMatchObject({ text: "told" });
  expect(listener.heads[0]).toMatchObject({ region: null });
  for (const event of [request, ran, commit]) expect(Math.abs(Date.now() - event.at)).toBeLessThan(60_000);
});

test("queries, actions and refusals are told with their outcomes", async () => {
  const next = told();
  await result(worker, "tapped:list", { channel: "a" }, { token: "ann" });
  expect(await next("call", { functionPath: "tapped:list" })).toMatchObject({
    kind: "query",
    outcome: "ok",
    userId: "ann",
    object: "__root__",
  });
  await call(worker, "tapped:fail");
  const failed = await next("call", { functionPath: "tapped:fail" });
  expect(failed).toMatchObject({ kind: "mutation", outcome: "CONFLICT" });
  expect(failed).not.toHaveProperty("toSeq");
  expect(await next("request", { functionPath: "tapped:fail" })).toMatchObject({ status: 409, code: "CONFLICT" });
  await call(worker, "tapped:nothing");
  expect(await next("request", { functionPath: "tapped:nothing" })).toMatchObject({ code: "FUNCTION_NOT_FOUND" });
  await result(worker, "tapped:act");
  const acted = await next("call", { functionPath: "tapped:act" });
  expect(acted).toMatchObject({ kind: "action", object: null, outcome: "ok" });
  expect(acted.call).toBe((await next("request", { functionPath: "tapped:act" })).call);
  expect(await next("log", { functionPath: "tapped:act" })).toMatchObject({ call: acted.call, level: "warn" });
});

test("what an action calls says which call made it, however deep", async () => {
  const next = told();
  await result(worker, "tapped:deep");
  const outer = await next("call", { functionPath: "tapped:deep" });
  expect(outer).not.toHaveProperty("parent");
  const acted = await next("call", { functionPath: "tapped:act" });
  expect(acted).toMatchObject({ kind: "action", object: null, parent: outer.call });
  expect(await next("call", { functionPath: "tapped:add" })).toMatchObject({
    kind: "mutation",
    object: "__root__",
    parent: acted.call,
  });
  const listed = await next("call", { functionPath: "tapped:list" });
  expect(listed).toMatchObject({ kind: "query", parent: outer.call });
  expect(new Set([outer.call, acted.call, listed.call]).size).toBe(3);
  await result(worker, "tapped:add", { channel: "deep", text: "alone" });
  expect(await next("call", { functionPath: "tapped:add", userId: null })).toBeDefined();
  const alone = await listener.next((event) => is("call")(event) && String(event.args).includes("alone"));
  expect(alone).not.toHaveProperty("parent");
});

test("requests that are refused before they call anything are told", async () => {
  const next = told();
  const post = (path: string, body: string): Promise<Response> =>
    worker.fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body });
  await post("/_lunora/rpc", "{");
  expect(await next("request", { path: "/_lunora/rpc" })).toMatchObject({ status: 400, code: "BAD_REQUEST" });
  await post("/_lunora/rpc-batch", "[]");
  expect(await next("request", { path: "/_lunora/rpc-batch" })).toMatchObject({ status: 400, code: "BAD_REQUEST" });
  await worker.fetch("/_lunora/rpc");
  expect(await next("request", { status: 405 })).toMatchObject({ code: "METHOD_NOT_ALLOWED" });
  await worker.fetch("/_lunora/nowhere");
  expect(await next("request", { path: "/_lunora/nowhere" })).toMatchObject({ status: 404, code: "NOT_FOUND" });
});

test("changes of triggers and cascades count to the call that ran", async () => {
  const next = told();
  const parent = await result(worker, "tapped:family", { children: 2 });
  await result(worker, "tapped:remove", { id: parent });
  const removed = await next("call", { functionPath: "tapped:remove" });
  const cascade = await next("commit", { toSeq: removed.toSeq });
  expect(cascade.changes.map(({ table, op }: Loose) => `${op} ${table}`)).toEqual([
    "delete children",
    "delete children",
    "delete parents",
  ]);
  expect(cascade.calls).toMatchObject([{ call: removed.call, fromSeq: removed.fromSeq, toSeq: removed.fromSeq + 3 }]);
  await result(worker, "tapped:audit", { name: "x" });
  const audited = await next("call", { functionPath: "tapped:audit" });
  const triggered = await next("commit", { toSeq: audited.toSeq });
  expect(triggered.changes.map(({ table }: Loose) => table)).toEqual(["audited", "notes"]);
  expect(triggered.calls).toHaveLength(1);
});

test("each call of a group has its own changes", async () => {
  const next = told();
  const from = listener.events.length;
  const client = await connect("grouped", "ann");
  await client.push("grouped", [
    entry(1, "slow", { ms: 50 }),
    entry(2, "add", { channel: "g", text: "one" }),
    entry(3, "fail"),
    entry(4, "family", { children: 1 }),
  ]);
  const commit = await next("commit");
  const { fromSeq } = commit;
  expect(commit.calls).toMatchObject([
    { functionPath: "tapped:add", fromSeq, toSeq: fromSeq + 1 },
    { functionPath: "tapped:family", fromSeq: fromSeq + 1, toSeq: fromSeq + 3 },
  ]);
  expect(commit.changes.map(({ seq }: Loose) => seq)).toEqual([fromSeq + 1, fromSeq + 2, fromSeq + 3]);
  expect(await next("call", { functionPath: "tapped:family" })).toMatchObject({
    clientId: "grouped",
    clientSeq: 4,
    userId: "ann",
    fromSeq: fromSeq + 1,
    toSeq: fromSeq + 3,
  });
  const place = { userId: "ann", clientId: "grouped", lastMutationId: 4 };
  expect((await next("watermark")).clients).toEqual([place]);
  await client.push("grouped", [entry(9, "add", { channel: "g", text: "late" })]);
  const refused = await listener.next(
    (event) => event.type === "watermark" && event.clients[0].outcome !== undefined,
    from,
  );
  expect(refused.clients).toEqual([{ ...place, outcome: "OUT_OF_ORDER" }]);
  client.close();
});

test("what the sweep removes is told, and by whom", async () => {
  const next = told();
  await result(worker, "tapped:fleet");
  await inspect(worker, "ringNow", null);
  const commit = await next("commit", { by: "sweep" });
  expect(commit.calls).toEqual([]);
  expect(commit.changes).toMatchObject([{ table: "fleeting", op: "delete" }]);
});

test("a socket's life is told", async () => {
  const next = told();
  const client = await connect("life", "ben");
  const opened = await next("socket", { state: "opened" });
  expect(opened).toMatchObject({ object: "__root__", userId: "ben" });
  const { socket } = opened;
  expect(await next("socket", { state: "connected", socket })).toMatchObject({ clientId: "life" });
  client.raw.close(4321, "enough");
  expect(await next("socket", { state: "closed", socket })).toMatchObject({ code: 4321, reason: "enough" });
});

test("subscriptions begin, resume, are seeded again, refused and ended", async () => {
  const next = told();
  await result(worker, "tapped:add", { channel: "s", text: "one" });
  const client = await connect("subscriptions");
  client.send(subscribe("q1", "s"));
  const began = await next("subscription", { id: "q1" });
  expect(began).toMatchObject({ kind: "query", name: "tapped:list", state: "began", rows: 1, object: "__root__" });
  expect(JSON.parse(began.args)).toEqual({ channel: "s" });
  const { cursor, epoch, version } = await client.next((frame) => frame.type === "data" && frame.id === "q1");
  client.send(subscribe("q2", "s", { sinceSeq: cursor, sinceEpoch: epoch, sinceVersion: version }));
  expect(await next("subscription", { id: "q2" })).toMatchObject({ state: "resumed" });
  client.send(subscribe("q3", "s", { sinceSeq: cursor, sinceEpoch: "another", sinceVersion: version }));
  expect(await next("subscription", { id: "q3" })).toMatchObject({ state: "reseeded", cause: "EPOCH_CHANGED" });
  client.send({ type: "subscribe", id: "q4", query: { functionPath: "tapped:none", args: {} } });
  expect(await next("subscription", { id: "q4" })).toMatchObject({ state: "refused", cause: "FUNCTION_NOT_FOUND" });
  client.send({ type: "unsubscribe", id: "q1" });
  expect(await next("subscription", { id: "q1", state: "ended" })).toMatchObject({ name: "tapped:list" });

  client.send(shape("s1", "s"));
  const seeded = await next("subscription", { id: "s1" });
  expect(seeded).toMatchObject({ kind: "shape", name: "channel", state: "began", rows: 1 });
  const start = await client.next((frame) => frame.type === "pokeStart");
  const part = await client.next((frame) => frame.type === "pokePart" && frame.shapeId === "s1");
  const end = await client.next((frame) => frame.type === "pokeEnd" && frame.pokeId === start.pokeId);
  const since = { sinceCheckpoint: end.checkpoint, sinceEpoch: start.epoch, sinceVersion: part.version };
  client.send(shape("s2", "s", since));
  expect(await next("subscription", { id: "s2" })).toMatchObject({ state: "resumed" });
  client.send(shape("s3", "s", { ...since, sinceVersion: "another" }));
  expect(await next("subscription", { id: "s3" })).toMatchObject({ state: "reseeded", cause: "VERSION_CHANGED" });
  client.close();
  expect(await next("subscription", { id: "s3", state: "ended" })).toMatchObject({ kind: "shape" });
});

test("a subscription too many is told as refused, whatever it is to", async () => {
  const client = await connect("many");
  const limit = 1_000;
  const next = told();
  for (let n = 0; n <= limit; n += 1) client.send(subscribe(`n${n}`, "s"));
  expect(await next("subscription", { id: `n${limit}`, state: "refused" })).toMatchObject({
    kind: "query",
    name: "tapped:list",
    cause: "SUBSCRIPTION_LIMIT",
  });
  client.send(shape("s", "s"));
  client.send({ type: "stream", id: "t", query: { functionPath: "tapped:count", args: { to: 2 } } });
  expect(await next("subscription", { id: "s" })).toMatchObject({ kind: "shape", cause: "SUBSCRIPTION_LIMIT" });
  expect(await next("subscription", { id: "t" })).toMatchObject({ kind: "stream", cause: "SUBSCRIPTION_LIMIT" });
  client.close();
});

test("lines that a live query logs are of its function, also when it runs again", async () => {
  const client = await connect("logging");
  const next = told();
  client.send({ type: "subscribe", id: "q", query: { functionPath: "tapped:loud", args: { channel: "l" } } });
  expect(await next("log", { text: "0 rows" })).toMatchObject({ functionPath: "tapped:loud", object: "__root__" });
  await result(worker, "tapped:add", { channel: "l", text: "one" });
  const again = await next("log", { text: "1 rows" });
  expect(again).toMatchObject({ functionPath: "tapped:loud", object: "__root__" });
  // Nobody has called it.
  expect(again).not.toHaveProperty("call");
  client.close();
});

test("a stream is a call: with its outcome, and the lines that it logs", async () => {
  const next = told();
  const client = await connect("streamed", "ann");
  const stream = (id: string, to: number): object => ({
    type: "stream",
    id,
    query: { functionPath: "tapped:count", args: { to } },
  });
  client.send(stream("t", 2));
  const ran = await next("call", { functionPath: "tapped:count", outcome: "ok" });
  expect(ran).toMatchObject({ kind: "stream", userId: "ann", object: "__root__" });
  expect(JSON.parse(ran.args)).toEqual({ to: 2 });
  expect(await next("log", { text: "counted 2" })).toMatchObject({ call: ran.call, functionPath: "tapped:count" });
  client.send(stream("u", -1));
  const failed = await next("call", { functionPath: "tapped:count", outcome: "CONFLICT" });
  expect(failed.call).not.toBe(ran.call);
  client.close();
});

test("a stream begins and ends", async () => {
  const next = told();
  const client = await connect("streams");
  client.send({ type: "stream", id: "t", query: { functionPath: "tapped:count", args: { to: 2 } } });
  await client.next((frame) => frame.type === "complete");
  expect(await next("subscription", { id: "t", state: "began" })).toMatchObject({
    kind: "stream",
    name: "tapped:count",
  });
  expect(await next("subscription", { id: "t", state: "ended" })).toMatchObject({ name: "tapped:count" });
  client.send({ type: "stream", id: "u", query: { functionPath: "tapped:none", args: {} } });
  expect(await next("subscription", { id: "u" })).toMatchObject({ state: "refused", cause: "FUNCTION_NOT_FOUND" });
  client.close();
});

test("a poke is told for each socket, with what it does and which calls caused it", async () => {
  const client = await connect("poked");
  client.send(subscribe("q", "p"));
  client.send(shape("s", "p"));
  await client.next((frame) => frame.type === "pokeEnd");
  const next = told();
  const id = await result(worker, "tapped:add", { channel: "p", text: "poke" });
  const ran = await next("call", { functionPath: "tapped:add" });
  const poke = await next("poke");
  const frames = await client.next((frame) => frame.type === "pokeEnd" && frame.checkpoint === ran.toSeq);
  expect(frames).toBeDefined();
  expect(poke).toMatchObject({ fromSeq: ran.fromSeq, toSeq: ran.toSeq, calls: [ran.call], object: "__root__" });
  expect(poke.subscriptions).toEqual([
    { id: "q", kind: "query", name: "tapped:list", rowsIn: 1, rowsOut: 0, rows: [id] },
    { id: "s", kind: "shape", name: "channel", rowsIn: 1, rowsOut: 0, rows: [id] },
  ]);
  const [last] = client.messages.slice(-1) as [string];
  expect(poke).toMatchObject({ frames: 1, bytes: Buffer.byteLength(last) });
  client.close();
});

test("a log line carries the call that wrote it, over everything it waited for", async () => {
  const next = told();
  await Promise.all([
    result(worker, "tapped:say", { text: "first" }),
    result(worker, "tapped:say", { text: "second" }),
    call(worker, "tapped:shout", { text: "loud" }),
  ]);
  for (const text of ["first", "second"]) {
    const line = await next("log", { text: `said ${text} {"in":"mutation"}` });
    expect(line).toMatchObject({ level: "log", functionPath: "tapped:say", object: "__root__" });
    const ran = listener.events.find((event) => event.type === "call" && event.call === line.call);
    expect(JSON.parse((ran ?? (await next("call", { call: line.call }))).args)).toEqual({ text });
  }
  const line = await next("log", { level: "error", functionPath: "tapped:shout" });
  expect(line.stack).toContain("Error: loud");
  expect(worker.takeOutput()).toContain("said first");
});

test("log lines of a large group, whose members share a scope, carry the calls that wrote them", async () => {
  const client = await connect("loud group");
  const texts = Array.from({ length: 20 }, (_, index) => `member ${index}`);
  const from = listener.events.length;
  await client.push(
    "loud group",
    texts.map((text, index) => entry(index + 1, "say", { text })),
  );
  const isCall = ({ type, clientId }: Loose): boolean => type === "call" && clientId === "loud group";
  await listener.until(() => listener.events.slice(from).filter(isCall).length === texts.length);
  const events = listener.events.slice(from);
  const callOf = new Map(events.filter(isCall).map((event) => [event.clientSeq, event.call]));
  const lines = events.filter(({ type, text }) => type === "log" && text.startsWith("said member"));
  expect(lines).toMatchObject(
    texts.map((text, index) => ({
      call: callOf.get(index + 1),
      functionPath: "tapped:say",
      object: "__root__",
      text: `said ${text} {"in":"mutation"}`,
    })),
  );
  expect(new Set(callOf.values()).size).toBe(texts.length);
});

test("what is long is cut, and says so", async () => {
  const next = told();
  await result(worker, "tapped:add", { channel: "c", text: "x".repeat(20_000) });
  const ran = await next("call", { functionPath: "tapped:add" });
  expect(ran).toMatchObject({ isCut: true });
  expect(ran.args).toHaveLength(4_096);
  const commit = await next("commit", { toSeq: ran.toSeq });
  expect(commit.changes[0]).toMatchObject({ isCut: true });
  expect(commit.changes[0].after).toHaveLength(8_192);
  await result(worker, "tapped:many", { rows: 250, text: "m" });
  const many = await next("commit", { fromSeq: ran.toSeq });
  expect(many.changes).toHaveLength(200);
  expect(many.omitted).toBe(50);
});

test("sockets that outlive the object's sleep are told when it wakes", async () => {
  const next = told();
  const client = await connect("sleeper");
  const { socket } = await next("socket", { state: "opened" });
  // The platform destroys an object that has had no event for 10 seconds.
  await new Promise((resolve) => setTimeout(resolve, 13_000));
  client.send(subscribe("q", "z"));
  expect(await next("socket", { state: "woken", socket })).toMatchObject({ clientId: "sleeper" });
  client.close();
});
