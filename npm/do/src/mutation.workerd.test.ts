import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { ALL_GLOBAL, appEntry, call, code, inspect, NAMESPACES, read, result, step, write } from "../testing/client.ts";
import { TestWorker } from "../testing/workerd.ts";
import type { Loose } from "../testing/loose.ts";

describe.each([
  { place: "a shard", options: {}, isFar: false },
  { place: "D1", options: ALL_GLOBAL, isFar: true },
])("rows in $place", ({ options: started, isFar }) => {
  let worker: TestWorker;

  beforeAll(async () => {
    worker = await TestWorker.start({ entry: appEntry("store"), namespaces: NAMESPACES, ...started });
  });

  afterAll(() => worker?.stop());

  const log = async (): Promise<string[]> => {
    const [rows] = await read(worker, step("log", "walk", { terminal: ["collect"] }));
    return rows.map((row: Loose) => row.text);
  };

  beforeEach(async () => {
    const [rows] = await read(worker, step("log", "findMany"));
    await write(
      worker,
      step(
        "log",
        "deleteMany",
        rows.map((row: Loose) => row._id),
      ),
    );
  });

  const withId = (id: string, token?: string, client?: string): Loose => ({
    headers: { "x-lunora-mutation-id": id, ...(client === undefined ? {} : { "x-lunora-client-id": client }) },
    ...(token === undefined ? {} : { token }),
  });

  describe("a repeated mutation", () => {
    test("runs once and gets the same result, also after a crash", async () => {
      const first = await result(worker, "store:count", {}, withId("m1", "ann"));
      expect(first.count).toBe(1);
      expect(await result(worker, "store:count", {}, withId("m1", "ann"))).toEqual(first);
      await worker.restart();
      expect(await result(worker, "store:count", {}, withId("m1", "ann"))).toEqual(first);
      expect(await log()).toEqual(["counted"]);
    });

    test("is told apart by caller, and by client where nobody is signed in", async () => {
      const calls = [
        withId("m2", "ann"),
        withId("m2", "ben"),
        withId("m2"),
        withId("m2", undefined, "c1"),
        withId("m2", undefined, "c2"),
      ];
      for (const options of [...calls, ...calls]) await result(worker, "store:count", {}, options);
      expect(await log()).toHaveLength(calls.length);
    });

    test("that failed runs again; an id used for another function is refused", async () => {
      const failing = { steps: [step("log", "insert", { text: "x" })], throwAt: 1 };
      expect(await code(worker, "store:write", failing, withId("m3"))).toBe("INTERNAL");
      await result(worker, "store:write", { steps: failing.steps }, withId("m3"));
      expect(await log()).toEqual(["x"]);
      expect(await code(worker, "store:count", {}, withId("m3"))).toBe("CONFLICT");
    });

    test("many at once run once", async () => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => result(worker, "store:count", {}, withId("m4"))),
      );
      expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
      expect(await log()).toEqual(["counted"]);
    });

    test("with a result too large to keep is refused and rolled back", async () => {
      expect(await code(worker, "store:count", { size: 1_000_001 }, withId("m5"))).toBe("RESULT_TOO_LARGE");
      expect(await log()).toEqual([]);
      expect(await result(worker, "store:count", { size: 1_000_001 })).toHaveLength(1_000_001);
    });

    // D1 knows it for longer.
    test.skipIf(isFar)("is forgotten after a day, by the alarm", async () => {
      const kept = async (): Promise<number> =>
        (await inspect(worker, "sql", "SELECT count(*) AS n FROM __idempotency"))[0].n;
      for (let count = 0; count < 3; count += 1) await result(worker, "store:count", {}, withId(`old ${count}`));
      await inspect(worker, "age", 24 * 60 * 60 * 1_000 - 60_000);
      await result(worker, "store:count", {}, withId("old 0"));
      expect(await kept()).toBeGreaterThanOrEqual(3);
      await inspect(worker, "age", 120_000);
      await result(worker, "store:count", {}, withId("young"));
      await expect.poll(kept, { timeout: 30_000 }).toBe(1);
      expect(await log()).toHaveLength(4);
      await result(worker, "store:count", {}, withId("old 0"));
      expect(await log()).toHaveLength(5);
    });

    test("and an id on a query means nothing", async () => {
      const before = await inspect(worker, "sql", "SELECT count(*) AS n FROM __idempotency");
      await result(worker, "store:read", { steps: [] }, withId("m6"));
      expect(await inspect(worker, "sql", "SELECT count(*) AS n FROM __idempotency")).toEqual(before);
    });
  });

  const slow = (name: string, index: number): object => ({
    functionPath: "store:slow",
    args: { name, milliseconds: (8 - index) * 8 },
  });

  test("mutations run one after the other, in the order in which they came", async () => {
    // Longest first: without the queue the last would be the first.
    const names = Array.from({ length: 8 }, (_, index) => `n${index}`);
    await inspect(worker, "ordered", names.map(slow));
    expect(await log()).toEqual(names);

    // The first of these has to import its module, which takes longer than the others take together.
    const imported = [
      { functionPath: "store:imported", args: { steps: [step("log", "insert", { text: "imported" })] } },
      slow("after the import", 8),
    ];
    await inspect(worker, "ordered", imported);
    expect((await log()).slice(names.length)).toEqual(["imported", "after the import"]);

    const response = await worker.fetch("/_lunora/rpc-batch", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ calls: names.map((name, index) => ({ id: `b${name}`, ...slow(`b${name}`, index) })) }),
    });
    expect(((await response.json()) as Loose).results.map((slot: Loose) => [slot.id, slot.body])).toEqual(
      names.map((name) => [`b${name}`, { commitCursor: expect.any(Number) }]),
    );
    expect((await log()).slice(names.length + 2)).toEqual(names.map((name) => `b${name}`));
  });

  describe("a ctx has the life of its function", () => {
    test("kept and used by a later mutation it writes nothing", async () => {
      await result(worker, "store:keep");
      expect(await result(worker, "store:useKept")).toBe("CTX_CLOSED");
      expect(await result(worker, "store:readKept")).toBe("CTX_CLOSED");
      expect(await log()).toEqual(["mine"]);
    });

    test("writes that were not awaited belong to their mutation", async () => {
      await result(worker, "store:forget", { names: ["f1", "f2", "f3"] });
      expect((await log()).sort()).toEqual(["added f1", "added f2", "added f3"]);
      // One of them fails, so all of it does.
      expect(await code(worker, "store:forget", { names: ["f4", "late"] })).toBe("INTERNAL");
      expect(await log()).toHaveLength(3);
    });

    test("a nested query that was not awaited reads nothing after its caller", async () => {
      await result(worker, "store:loseQuery");
      expect(await result(worker, "store:lostQuery")).toBe("CTX_CLOSED");
    });

    test("a mutation that hangs is rolled back with a code, and the next one runs", async () => {
      const [hanging, next] = await Promise.all([
        code(worker, "store:hang"),
        new Promise((resolve) => setTimeout(resolve, 50)).then(() =>
          write(worker, step("log", "insert", { text: "next" })),
        ),
      ]);
      expect(hanging).toBe("MUTATION_TIMEOUT");
      expect(next).toHaveLength(1);
      expect(await log()).toEqual(["next"]);
    });
  });

  describe("functions that call functions", () => {
    test("a nested mutation that throws is taken back alone when its caller catches", async () => {
      const steps = [step("log", "insert", { text: "inner" })];
      expect(await result(worker, "store:nested", { steps })).toEqual({ caught: null, seen: ["outer", "inner"] });
      expect(await result(worker, "store:nested", { steps, throwAt: 1 })).toEqual({
        caught: "asked to throw at the end",
        seen: ["outer", "inner", "outer"],
      });
      expect(await log()).toEqual(["outer", "inner", "outer"]);
    });

    test("recursion, other shards and writes of queries are refused", async () => {
      expect(await code(worker, "store:recurse")).toBe("RUN_DEPTH_EXCEEDED");
      expect(await code(worker, "store:otherShard")).toBe("SHARD_MISMATCH");
      expect(await code(worker, "store:writeInQuery")).toBe("FORBIDDEN");
    });
  });

  test("an error that is not coded says nothing on the wire and everything in the log", async () => {
    worker.takeOutput();
    const answer = await call(worker, "store:bad");
    expect(answer).toMatchObject({ status: 500, error: { code: "INTERNAL" } });
    expect(JSON.stringify(answer)).not.toContain("secret");
    await expect.poll(() => worker.takeOutput(), { timeout: 10_000 }).toContain("a secret of the server");
    expect(await code(worker, "store:returnsFunction")).toBe("WIRE_VALUE_UNSUPPORTED");
  });

  test("what was acknowledged under load survives SIGKILL, and nothing is torn", async () => {
    const acknowledged: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      const writers = Array.from({ length: 8 }, async (_, writer) => {
        for (let count = 0; ; count += 1) {
          const text = `${round}-${writer}-${count}`;
          try {
            await result(worker, "store:write", {
              steps: [step("log", "insert", { text }), step("log", "insert", { text: `${text} again` })],
            });
          } catch {
            return;
          }
          acknowledged.push(text);
        }
      });
      const enough = (round + 1) * 60;
      while (acknowledged.length < enough) await new Promise((resolve) => setTimeout(resolve, 5));
      await worker.kill();
      await Promise.all(writers);
      await worker.spawn();
      const rows = new Set(await log());
      for (const text of acknowledged) expect(rows.has(text) && rows.has(`${text} again`)).toBe(true);
      const halves = [...rows].filter((text) => !text.endsWith("again"));
      expect(halves.filter((text) => !rows.has(`${text} again`))).toEqual([]);
    }
  });
});
