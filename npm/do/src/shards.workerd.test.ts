import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { appEntry, call, code, inspect, NAMESPACES, result, step } from "../testing/client.ts";
import { TestWorker } from "../testing/workerd.ts";
import type { Loose } from "../testing/loose.ts";

let worker: TestWorker;

beforeAll(async () => {
  worker = await TestWorker.start({ entry: appEntry("store"), namespaces: NAMESPACES });
});

afterAll(() => worker?.stop());

const inRoom = (room: string, ...steps: object[]): Promise<Loose> => result(worker, "store:writeRoom", { room, steps });
const readRoom = (room: string, ...steps: object[]): Promise<Loose> =>
  result(worker, "store:readRoom", { room, steps });
const refused = (room: string, ...steps: object[]): Promise<string> => code(worker, "store:writeRoom", { room, steps });
const send = (room: string, body: string, more: object = {}): object =>
  step("messages", "insert", { room, body, ...more });

describe("ids and values of other shards", () => {
  test("rows of a shard carry it in their id, and are found by it", async () => {
    const [id] = await inRoom("a/b ü", send("a/b ü", "hello"));
    expect(id.split(".")[1]).toBe(Buffer.from("a/b ü").toString("base64url"));
    expect(await result(worker, "store:byMessage", { id })).toMatchObject({ _id: id, body: "hello" });
    expect(await readRoom("a/b ü", step("messages", "count"))).toEqual([1]);
    expect(await readRoom("other", step("messages", "count"))).toEqual([0]);
  });

  test("are refused wherever they stand", async () => {
    const [there] = await inRoom("there", send("there", "x"));
    const [here] = await inRoom("here", send("here", "y"));
    const mismatches: object[] = [
      send("there", "another shard's value"),
      send("here", "x", { replyTo: there }),
      send("here", "x", { mentions: [{ message: here }, { message: there }] }),
      step("messages", "get", there),
      step("messages", "patch", there, { body: "z" }),
      step("messages", "delete", there),
      step("messages", "patch", here, { replyTo: there }),
      step("messages", "patch", here, { mentions: [{ message: there }] }),
      step("", "get", there),
      step("limits", "insert", { name: "x", messageId: there }),
    ];
    for (const wrong of mismatches) expect(await refused("here", wrong), JSON.stringify(wrong)).toBe("SHARD_MISMATCH");
    expect(await code(worker, "store:byMessage", { id: here, others: [here, there] })).toBe("SHARD_MISMATCH");
    expect(await code(worker, "store:byMessage", { id: `${here.split(".")[0]}.!!` })).toBe("BAD_REQUEST");
    expect(await code(worker, "store:byMessage", { id: "no shard in it" })).toBe("BAD_REQUEST");
    expect(await readRoom("here", step("messages", "count"))).toEqual([1]);
  });

  test("the shard field never changes", async () => {
    const [id] = await inRoom("fixed", send("fixed", "x"));
    expect(await refused("fixed", step("messages", "patch", id, { room: "moved" }))).toBe("SHARD_FIELD_IMMUTABLE");
    expect(await refused("fixed", step("messages", "replace", id, { room: "moved", body: "x" }))).toBe(
      "SHARD_FIELD_IMMUTABLE",
    );
    await inRoom(
      "fixed",
      step("messages", "patch", id, { room: "fixed", body: "same shard" }),
      step("messages", "replace", id, { room: "fixed", body: "again" }),
    );
    expect(await readRoom("fixed", step("messages", "get", id))).toMatchObject([{ room: "fixed", body: "again" }]);
  });

  test("tables are only where they live", async () => {
    expect(await refused("a", step("users", "insert", { email: "a@x", name: "A" }))).toBe("SHARD_MISMATCH");
    expect(await refused("a", step("users", "findMany"))).toBe("SHARD_MISMATCH");
    expect(await code(worker, "store:write", { steps: [send("a", "x")] })).toBe("SHARD_MISMATCH");
    expect(await code(worker, "store:read", { steps: [step("messages", "walk", { terminal: ["first"] })] })).toBe(
      "SHARD_MISMATCH",
    );
    expect(await refused("a", step("prices", "insert", { currency: 1n }))).toBe("SHARD_MISMATCH");
  });

  test("colocated tables live with their function", async () => {
    const [inShard] = await inRoom("c", step("limits", "insert", { name: "shard" }));
    const [inRoot] = await result(worker, "store:write", { steps: [step("limits", "insert", { name: "root" })] });
    expect(inShard).toMatch(/\./);
    expect(inRoot).not.toMatch(/\./);
    expect(await readRoom("c", step("limits", "count"))).toEqual([1]);
    expect(await refused("c", step("limits", "get", inRoot))).toBe("SHARD_MISMATCH");
    expect(await code(worker, "store:write", { steps: [step("limits", "delete", inShard)] })).toBe("SHARD_MISMATCH");
  });

  test("a shard key that says the same is accepted, another one refused", async () => {
    const args = { room: "keyed", steps: [] };
    expect((await call(worker, "store:writeRoom", args, { shardKey: "keyed" })).status).toBe(200);
    expect(await code(worker, "store:writeRoom", args, { shardKey: "other" })).toBe("SHARD_MISMATCH");
    expect(await code(worker, "store:write", { steps: [] }, { shardKey: "keyed" })).toBe("SHARD_MISMATCH");
    expect((await call(worker, "store:write", { steps: [] }, { shardKey: "__root__" })).status).toBe(200);
  });

  test("bigints name shards, in one way each", async () => {
    const currency = 2n ** 60n + 1n;
    const [id] = await result(worker, "store:writeCurrency", {
      currency,
      steps: [step("prices", "insert", { currency })],
    });
    expect(id.split(".")[1]).toBe(Buffer.from(currency.toString()).toString("base64url"));
    expect(
      await code(worker, "store:writeCurrency", { currency: 1n, steps: [step("prices", "insert", { currency })] }),
    ).toBe("SHARD_MISMATCH");
  });
});

/** Every name that the registry has, page by page. */
const names = async (field?: string): Promise<string[]> => {
  const all: string[] = [];
  let cursor: string | null = null;
  do {
    const page: Loose = await inspect(worker, "registered", {
      limit: 3,
      cursor,
      ...(field === undefined ? {} : { field }),
    });
    all.push(...page.names);
    cursor = page.cursor;
  } while (cursor !== null);
  return all;
};

describe("the registry", () => {
  test("knows every shard that has written, in pages and by field, and none that was only read", async () => {
    for (const room of ["r1", "r2", "r3", "r4", "r5", "r=6"]) await inRoom(room, send(room, "x"));
    await readRoom("only read", step("messages", "count"));
    const all = await names();
    expect(all).toEqual([...new Set(all)].sort());
    expect(all).toEqual(
      expect.arrayContaining(["__root__", "room=r1", "room=r5", "room=r%3D6", `currency=${2n ** 60n + 1n}`]),
    );
    expect(all).not.toContain("room=only%20read");
    expect(await names("room")).toEqual(all.filter((name) => name.startsWith("room=")));
    expect(await names("roo")).toEqual([]);
  });

  test("killed between its answer and the first commit, there is at most a name too many", async () => {
    for (let round = 0; round < 5; round += 1) {
      const room = `killed ${round}`;
      const name = `room=${encodeURIComponent(room)}`;
      // The handler holds its transaction open after the registry has answered.
      const first = call(worker, "store:holdRoom", { room, milliseconds: 1_000 }).catch(() => "killed");
      while (!(await names("room")).includes(name)) await new Promise((resolve) => setTimeout(resolve, 2));
      await worker.kill();
      expect(await first).toBe("killed");
      await worker.spawn();
      expect(await names("room")).toContain(name);
      expect(await readRoom(room, step("messages", "count"))).toEqual([0]);
      await inRoom(room, send(room, "after"));
      expect(await readRoom(room, step("messages", "count"))).toEqual([1]);
    }
  });

  test("that cannot be reached keeps a shard from its first write, and from nothing else", async () => {
    const alone = await TestWorker.start({ entry: appEntry("store"), namespaces: NAMESPACES.slice(0, 1) });
    try {
      const args = { room: "a", steps: [send("a", "x")] };
      expect(await call(alone, "store:writeRoom", args)).toMatchObject({
        status: 503,
        error: { code: "SHARD_UNAVAILABLE" },
      });
      expect(await result(alone, "store:readRoom", { room: "a", steps: [step("messages", "count")] })).toEqual([0]);
      expect((await alone.fetch("/_lunora/health/ready")).status).toBe(503);
    } finally {
      await alone.stop();
    }
  });
});
