import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { appEntry, inspect, NAMESPACES, result, step } from "../testing/client.ts";
import type { Loose } from "../testing/loose.ts";
import { settled, subscribe, viewOf } from "../testing/query-view.ts";
import { SocketClient } from "../testing/socket-client.ts";
import { TestWorker } from "../testing/workerd.ts";

let worker: TestWorker;

beforeAll(async () => {
  worker = await TestWorker.start({ entry: appEntry("queries"), namespaces: NAMESPACES });
});

afterAll(() => worker?.stop());

const write = (...steps: object[]): Promise<Loose[]> => result(worker, "queries:write", { steps });
const say = async (channel: string, author: string, body: string): Promise<string> => {
  const [id] = await write(step("messages", "insert", { channel, author, body }));
  return id as string;
};
const takeRuns = (): Promise<Record<string, number>> => inspect(worker, "takeRuns", null);
const framesOf = (client: SocketClient, id: string): Loose[] => client.frames.filter((frame) => frame.id === id);

const clients: SocketClient[] = [];
async function connect(token?: string, connecting: { clientId?: string; caps?: string[] } = {}): Promise<SocketClient> {
  const client = await SocketClient.connect(worker, connecting, token === undefined ? {} : { token });
  clients.push(client);
  return client;
}

beforeEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await write(
    ...["messages", "members", "switches", "users"].map((table) => step(table, "deleteWhere", { where: {} })),
  );
});

describe("a subscription", () => {
  test("gets the result, and a new one when a write can change it; else nothing", async () => {
    await say("a", "ann", "one");
    const client = await connect();
    const first = await subscribe(client, "s", "queries:list", { channel: "a" });
    expect(first).toMatchObject({ type: "data", cursor: client.connectAck.cursor, epoch: client.connectAck.epoch });
    expect(first.data.map((row: Loose) => row.body)).toEqual(["one"]);
    await say("b", "ann", "elsewhere");
    await write(step("users", "insert", { name: "ann" }));
    const id = await say("a", "ben", "two");
    await client.next((frame) => frame.id === "s" && frame.data?.length === 2);
    await write(step("messages", "patch", id, { channel: "b" }));
    await client.next((frame) => frame.id === "s" && frame.cursor > first.cursor + 3 && frame.data?.length === 1);
    await settled(client);
    expect(framesOf(client, "s").map((frame) => frame.type)).toEqual(["data", "data", "data"]);
    const cursors = framesOf(client, "s").map((frame) => frame.cursor);
    expect(cursors).toEqual([first.cursor, first.cursor + 3, first.cursor + 4]);
  });

  test("of an undefined result has no `data`", async () => {
    const client = await connect();
    const first = await subscribe(client, "s", "queries:sized", { name: "z" });
    expect(first.type).toBe("data");
    expect(Object.hasOwn(first, "data")).toBe(false);
    await write(step("switches", "insert", { name: "z3" }));
    expect(await client.next((frame) => frame.id === "s" && frame.data === "xxx")).toBeDefined();
  });

  test("ends with `unsubscribe`, and is replaced by another under its id", async () => {
    const client = await connect();
    await subscribe(client, "s", "queries:list", { channel: "a" });
    await subscribe(client, "s", "queries:list", { channel: "b" });
    await say("a", "ann", "one");
    await say("b", "ann", "two");
    await settled(client);
    expect(framesOf(client, "s").map(({ data }) => data.map((row: Loose) => row.body))).toEqual([[], [], ["two"]]);
    client.send({ type: "unsubscribe", id: "s" });
    await settled(client);
    await takeRuns();
    await say("b", "ann", "three");
    await settled(client);
    expect(framesOf(client, "s")).toHaveLength(3);
    expect(await takeRuns()).toEqual({});
  });

  test("sees what relations, nested queries, counts and cascades read", async () => {
    const client = await connect();
    const [userId] = await write(step("users", "insert", { name: "ann" }));
    await write(step("messages", "insert", { channel: "a", author: "ann", body: "one", userId }));
    await subscribe(client, "with", "queries:withUser");
    await subscribe(client, "nested", "queries:nested", { channel: "a" });
    await subscribe(client, "count", "queries:count", { channel: "a" });
    await write(step("users", "patch", userId, { name: "anna" }));
    await write(step("users", "delete", userId));
    await settled(client);
    expect(framesOf(client, "with").map(({ data }) => data[0].user)).toEqual([
      { _id: userId, name: "ann" },
      { _id: userId, name: "anna" },
      null,
    ]);
    expect(framesOf(client, "nested").map(({ data }) => data[0].userId)).toEqual([userId, undefined]);
    await say("a", "ben", "two");
    await settled(client);
    expect(framesOf(client, "count").map(({ data }) => data)).toEqual([1, 2]);
  });

  test("of a hibernated socket goes on", async () => {
    const client = await connect("ann");
    await subscribe(client, "s", "queries:mine");
    const before = await inspect(worker, "constructed", null);
    const woken = async (): Promise<boolean> => {
      await new Promise((resolve) => setTimeout(resolve, 13_000));
      return (await inspect(worker, "constructed", null)) > before;
    };
    expect(await woken()).toBe(true);
    await say("a", "ann", "one");
    expect(await client.next((frame) => frame.id === "s" && frame.data?.length === 1)).toMatchObject({ type: "data" });
  });
});

describe("what is run", () => {
  test("a query is run once for all who ask the same, whoever they are", async () => {
    const many = await Promise.all(
      Array.from({ length: 20 }, (_, index) => connect(index % 2 === 0 ? undefined : `user ${index}`)),
    );
    await takeRuns();
    await Promise.all(
      many.map((client, index) => subscribe(client, `s${index % 3}`, "queries:list", { channel: "a" })),
    );
    expect(await takeRuns()).toEqual({ list: 1 });
    await say("a", "ann", "one");
    await Promise.all(many.map((client) => client.next((frame) => frame.data?.length === 1)));
    expect(await takeRuns()).toEqual({ list: 1 });
    await say("b", "ann", "not theirs");
    await settled(many[0] as SocketClient);
    expect(await takeRuns()).toEqual({});
  });

  test("what looks at who asks is run for each identity, as that identity", async () => {
    const sockets = await Promise.all(["ann", "ann", "ben", undefined].map((token) => connect(token)));
    await Promise.all(sockets.map((client) => subscribe(client, "s", "queries:mine")));
    await takeRuns();
    await say("a", "ann", "by ann");
    await say("a", "ben", "by ben");
    await Promise.all(sockets.map((client) => settled(client)));
    expect(sockets.map((client) => viewOf(client, "s")?.data.map((row: Loose) => row.body))).toEqual([
      ["by ann"],
      ["by ann"],
      ["by ben"],
      [],
    ]);
    // The walk is over all messages of an author, so each write can matter to one identity.
    expect(await takeRuns()).toEqual({ mine: 2 });
  });

  test("a query that looks at who asks only at times is split and joined again", async () => {
    const sockets = await Promise.all(["ann", "ben", "cat"].map((token) => connect(token)));
    await Promise.all(sockets.map((client) => subscribe(client, "s", "queries:sometimes")));
    expect(await takeRuns()).toMatchObject({ sometimes: 1 });
    const [on] = await write(step("switches", "insert", { name: "personal" }));
    await Promise.all(sockets.map((client) => settled(client)));
    expect(sockets.map((client) => viewOf(client, "s")?.data)).toEqual(["for ann", "for ben", "for cat"]);
    expect(await takeRuns()).toMatchObject({ sometimes: 3 });
    const late = await connect("ann");
    expect(await subscribe(late, "s", "queries:sometimes")).toMatchObject({ data: "for ann" });
    expect((await takeRuns())["sometimes"]).toBeUndefined();
    await write(step("switches", "delete", on));
    await Promise.all(sockets.map((client) => settled(client)));
    expect(sockets.map((client) => viewOf(client, "s")?.data)).toEqual(["for all", "for all", "for all"]);
    expect(await takeRuns()).toMatchObject({ sometimes: 1 });
    expect(await subscribe(await connect("dan"), "s", "queries:sometimes")).toMatchObject({ data: "for all" });
    expect((await takeRuns())["sometimes"]).toBeUndefined();
  });
});

describe("a writer", () => {
  test("gets its effect before the ack, in one message, with its position", async () => {
    const client = await connect("ann", { clientId: "tab", caps: ["batch"] });
    const other = await connect("ann", { clientId: "other" });
    for (const socket of [client, other]) await subscribe(socket, "s", "queries:list", { channel: "a" });
    const args = { steps: [step("messages", "insert", { channel: "a", author: "ann", body: "one" })] };
    const ack = await client.push("tab", [{ clientSeq: 1, functionPath: "queries:write", args }]);
    expect(ack).toMatchObject({ type: "ack", lastMutationId: 1 });
    const message = JSON.parse(client.messages.find((text) => text.includes(`"${ack.id}"`)) ?? "{}");
    expect(message.frames.map(({ type }: Loose) => type)).toEqual(["data", "ack"]);
    expect(message.frames[0]).toMatchObject({ id: "s", lastMutationId: 1 });
    await settled(other);
    expect(framesOf(other, "s").at(-1)).not.toHaveProperty("lastMutationId");
  });

  test("whose write matters to none of its queries is told so without data", async () => {
    const client = await connect("ann", { clientId: "quiet" });
    await subscribe(client, "s", "queries:list", { channel: "a" });
    const args = { steps: [step("messages", "insert", { channel: "b", author: "ann", body: "one" })] };
    const ack = await client.push("quiet", [{ clientSeq: 1, functionPath: "queries:write", args }]);
    expect(framesOf(client, "s")).toHaveLength(1);
    expect(ack.lastMutationId).toBe(1);
  });
});

describe("refused", () => {
  test.each([
    ["an internal query", "queries:secret", {}, "FUNCTION_NOT_FOUND"],
    ["an unknown one", "queries:none", {}, "FUNCTION_NOT_FOUND"],
    ["a member of all objects", "toString", {}, "FUNCTION_NOT_FOUND"],
    ["a mutation", "queries:write", { steps: [] }, "BAD_REQUEST"],
    ["a query of all shards", "queries:everywhere", {}, "FAN_OUT_NOT_LIVE"],
    ["a query of another shard", "queries:room", { room: "x" }, "SHARD_MISMATCH"],
    ["arguments that do not fit", "queries:list", { channel: 5 }, "VALIDATION_ERROR"],
  ])("%s", async (_, functionPath, args, code) => {
    const client = await connect();
    expect(await subscribe(client, "s", functionPath, args)).toMatchObject({ type: "error", error: { code } });
    expect(await subscribe(client, "t", "queries:nothing")).toMatchObject({ type: "data", data: null });
  });

  test("a caller who may not reach the function", async () => {
    const client = await connect("outcast");
    const answer = await subscribe(client, "s", "queries:list", { channel: "a" });
    expect(answer).toMatchObject({ type: "error", error: { code: "FORBIDDEN_SHARD" } });
    await say("a", "ann", "not for them");
    await settled(client);
    expect(framesOf(client, "s")).toHaveLength(1);
  });

  test("a result that no frame holds; a smaller one comes through again", async () => {
    const client = await connect();
    const [id] = await write(step("switches", "insert", { name: "y1048576" }));
    expect(await subscribe(client, "s", "queries:sized", { name: "y" })).toMatchObject({
      type: "error",
      error: { code: "RESULT_TOO_LARGE" },
    });
    await write(step("switches", "patch", id, { name: "y900000" }));
    expect((await client.next((frame) => frame.id === "s" && frame.type === "data")).data).toHaveLength(900_000);
  });
});

describe("a query that fails", () => {
  test("says so, stays subscribed and recovers", async () => {
    const client = await connect();
    await subscribe(client, "s", "queries:fails");
    const [on] = await write(step("switches", "insert", { name: "broken" }));
    expect(await client.next((frame) => frame.id === "s" && frame.type === "error")).toMatchObject({
      error: { code: "APP_BROKEN", message: "the switch is on" },
    });
    // What did not change is not said again.
    await write(step("switches", "insert", { name: "broken" }));
    await settled(client);
    expect(framesOf(client, "s")).toHaveLength(2);
    await write(step("switches", "patch", on, { name: "secretly broken" }));
    const [, second] = await write(step("switches", "findMany", {}), step("switches", "findFirst", {}));
    expect(second.name).toBe("secretly broken");
    await write(step("switches", "deleteWhere", { where: { name: "broken" } }));
    const redacted = await client.next((frame) => frame.id === "s" && frame.error?.code === "INTERNAL");
    expect(JSON.stringify(redacted)).not.toContain("secret of");
    const from = client.frames.length;
    await write(step("switches", "deleteWhere", { where: {} }));
    expect(await client.next((frame) => frame.id === "s" && frame.type === "data", from)).toMatchObject({ data: 0 });
  });

  test("is told to late subscribers, who recover with the others", async () => {
    const [on] = await write(step("switches", "insert", { name: "broken" }));
    const sockets = await Promise.all([connect(), connect("ann")]);
    for (const client of sockets)
      expect(await subscribe(client, "s", "queries:fails")).toMatchObject({ error: { code: "APP_BROKEN" } });
    await write(step("switches", "delete", on));
    for (const client of sockets)
      expect(await client.next((frame) => frame.id === "s" && frame.type === "data")).toMatchObject({ data: 0 });
  });

  test("to settle holds nobody up for ever", async () => {
    const client = await connect();
    await subscribe(client, "s", "queries:hangs");
    const [on] = await write(step("switches", "insert", { name: "hang" }));
    expect(await client.next((frame) => frame.id === "s" && frame.type === "error")).toMatchObject({
      error: { code: "QUERY_TIMEOUT" },
    });
    // Those who come meanwhile are told the same, and do not make everybody wait again.
    await takeRuns();
    const late = await Promise.all([connect(), connect("ann"), connect("ben")]);
    for (const other of late)
      expect(await subscribe(other, "s", "queries:hangs")).toMatchObject({ error: { code: "QUERY_TIMEOUT" } });
    expect(await takeRuns()).toEqual({});
    await write(step("switches", "delete", on));
    for (const other of [client, ...late])
      expect(await other.next((frame) => frame.id === "s" && frame.data === "settled", 2)).toBeDefined();
  });
});
