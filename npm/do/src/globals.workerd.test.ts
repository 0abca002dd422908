import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";

import { appEntry, call, code, inspect, NAMESPACES, result, step } from "../testing/client.ts";
import type { Answer } from "../testing/client.ts";
import type { Loose } from "../testing/loose.ts";
import { Random } from "../testing/random.ts";
import { TestWorker } from "../testing/workerd.ts";

const random = new Random(inject("seed"));

let worker: TestWorker;
let names = 0;

beforeAll(async () => {
  worker = await TestWorker.start({ entry: appEntry("globals"), namespaces: NAMESPACES, d1: true });
});

afterAll(() => worker?.stop());

beforeEach(async () => {
  await inspect(worker, "cut", []);
  await inspect(worker, "down", false);
  await write(step("accounts", "deleteWhere", { where: {} }), step("entries", "deleteWhere", { where: {} }));
});

const write = (...steps: object[]): Promise<Loose[]> => result(worker, "globals:write", { steps });
const read = (...steps: object[]): Promise<Loose[]> => result(worker, "globals:read", { steps });
const refused = (...steps: object[]): Promise<string> => code(worker, "globals:write", { steps });
const inRoom = (room: string, ...steps: object[]): Promise<Loose[]> =>
  result(worker, "globals:writeRoom", { room, steps });
const readRoom = (room: string, ...steps: object[]): Promise<Loose[]> =>
  result(worker, "globals:readRoom", { room, steps });
const d1 = (text: string): Promise<Loose[]> => inspect(worker, "d1", text);
const uniqueName = (): string => `n${(names += 1)}`;
const $ = (index: number): object => ({ $ref: index });
const withId = (id: string): Loose => ({ headers: { "x-lunora-mutation-id": id } });
const withPlace = (client: string, seq: number): Loose => ({
  headers: { "x-lunora-client-id": client, "x-lunora-client-seq": String(seq) },
});

async function account(balance = 0): Promise<string> {
  const [id] = await write(step("accounts", "insert", { name: uniqueName(), balance }));
  return id;
}

async function balanceOf(id: string): Promise<number> {
  const [row] = await read(step("accounts", "get", id));
  return row.balance;
}

describe("rows", () => {
  test("are the same for every object, and have ids without a shard", async () => {
    const [id] = await inRoom("one", step("accounts", "insert", { name: uniqueName(), balance: 5 }));
    const [row] = await read(step("accounts", "get", id));
    expect(await readRoom("two", step("accounts", "get", id), step("accounts", "findMany"))).toEqual([row, [row]]);
    expect(await readRoom("two", step("", "get", id))).toEqual([row]);
    await inRoom("two", step("", "patch", id, { balance: 6 }));
    expect(await balanceOf(id)).toBe(6);
  });

  test("are related to each other, and to those of shards", async () => {
    const id = await account(1);
    await write(
      step("entries", "insertMany", [
        { accountId: id, amount: 1 },
        { accountId: id, amount: 2 },
      ]),
    );
    await write(step("posts", "insert", { accountId: id, title: "t" }));
    await inRoom("one", step("messages", "insert", { room: "one", accountId: id, body: "b" }));
    const [withEntries, withPosts, posts] = await read(
      step("accounts", "findFirst", { with: { entries: { limit: 1, orderBy: { amount: "desc" } } } }),
      step("accounts", "findFirst", { with: { posts: true } }),
      step("posts", "findMany", { with: { account: { with: { entries: true } } } }),
    );
    expect(withEntries.entries.map((row: Loose) => row.amount)).toEqual([2]);
    expect(withPosts.posts.map((row: Loose) => row.title)).toEqual(["t"]);
    expect(posts[0].account.entries).toHaveLength(2);
    const [messages] = await readRoom("one", step("messages", "findMany", { with: { account: true } }));
    expect(messages[0].account._id).toBe(id);
    await write(step("posts", "deleteWhere", { where: {} }));
  });

  test("of a mutation are seen by it, lists, pages, counts and walks included", async () => {
    const [one, two] = await write(
      step("accounts", "insert", { name: "m1", balance: 1 }),
      step("accounts", "insert", { name: "m2", balance: 2 }),
    );
    const [, , , rows, count, exists, page, walk, related] = await write(
      step("accounts", "patch", one, { balance: 10 }),
      step("accounts", "delete", two),
      step("accounts", "insert", { name: "m3", balance: 3 }),
      step("accounts", "findMany", { orderBy: { balance: "desc" } }),
      step("accounts", "count", { where: { balance: { gt: 2 } } }),
      step("accounts", "exists", { where: { name: "m2" } }),
      step("accounts", "findMany", { orderBy: { name: "asc" }, limit: 1, cursor: null }),
      step("accounts", "walk", { index: "by_name", order: "desc", terminal: ["collect"] }),
      step("accounts", "findMany", { with: { entries: true } }),
    );
    expect(rows.map((row: Loose) => [row.name, row.balance])).toEqual([
      ["m1", 10],
      ["m3", 3],
    ]);
    expect([count, exists]).toEqual([2, false]);
    expect(page.page.map((row: Loose) => row.name)).toEqual(["m1"]);
    expect(walk.map((row: Loose) => row.name)).toEqual(["m3", "m1"]);
    expect(related).toHaveLength(2);
  });

  test("that take each other's unique values in one mutation are written in the order that works", async () => {
    const [one, two] = await write(
      step("accounts", "insert", { name: "left", balance: 1 }),
      step("accounts", "insert", { name: "right", balance: 2 }),
    );
    await write(
      step("accounts", "patch", one, { name: "between" }),
      step("accounts", "patch", two, { name: "left" }),
      step("accounts", "patch", one, { name: "right" }),
    );
    const [rows] = await read(step("accounts", "findMany", { orderBy: { balance: "asc" } }));
    expect(rows.map((row: Loose) => row.name)).toEqual(["right", "left"]);
  });

  test("large and many are written and read again", async () => {
    const note = `"\\\n\u0000é😀${"x".repeat(900_000)}`;
    const [id] = await write(step("accounts", "insert", { name: "large", balance: 0, note }));
    await write(step("accounts", "patch", id, { balance: 1 }));
    const [row] = await read(step("accounts", "get", id));
    expect(row.note === note).toBe(true);
    expect(row.balance).toBe(1);
    expect(await code(worker, "globals:much")).toBe("GLOBAL_READ_AFTER_WRITE");
  });
});

describe("what D1 cannot give is refused", () => {
  test("a mutation that writes shards as well, in either order", async () => {
    const id = await account();
    const post = step("posts", "insert", { accountId: id, title: "t" });
    const change = step("accounts", "patch", id, { balance: 1 });
    expect(await refused(post, change)).toBe("GLOBAL_WRITE_MIXED");
    expect(await refused(change, post)).toBe("GLOBAL_WRITE_MIXED");
    expect(await balanceOf(id)).toBe(0);
    expect(await read(step("posts", "count"))).toEqual([0]);
    // Reading one and writing the other is no mixture.
    await write(step("accounts", "get", id), post);
    await write(step("posts", "findMany"), change);
    await write(step("posts", "deleteWhere", { where: {} }));
  });

  test("a write of a query", async () => {
    expect(await code(worker, "globals:read", { steps: [step("accounts", "insert", { name: "x", balance: 1 })] })).toBe(
      "FORBIDDEN",
    );
  });

  test("everything, where no database is bound", async () => {
    const unbound = await TestWorker.start({ entry: appEntry("globals"), namespaces: NAMESPACES });
    try {
      for (const path of ["globals:read", "globals:write"]) {
        const answer = await call(unbound, path, { steps: [step("accounts", "findMany")] });
        expect(answer.status).toBe(503);
        expect(answer.error?.code).toBe("GLOBAL_UNAVAILABLE");
        expect(answer.error?.message).toContain("d1_databases");
      }
    } finally {
      await unbound.stop();
    }
  });
});

describe("races", () => {
  test("of two objects for one row lose no update; who loses runs again with the same time", async () => {
    const id = await account();
    const place = uniqueName();
    const [one, two] = [uniqueName(), uniqueName()];
    const args = { id, amount: 1, place, count: 2 };
    const answers = await Promise.all([
      result(worker, "globals:add", { ...args, name: one }),
      result(worker, "globals:addRoom", { ...args, name: two, room: "one" }),
    ]);
    expect(answers.map(({ balance }) => balance).toSorted()).toEqual([1, 2]);
    expect(await balanceOf(id)).toBe(2);
    const { runs } = await inspect(worker, "state", null);
    expect([runs[one].length, runs[two].length].toSorted()).toEqual([1, 2]);
    for (const times of [runs[one], runs[two]]) expect(new Set(times).size).toBe(1);
    expect(await read(step("entries", "count"))).toEqual([2]);
  });

  test("that are lost each time end with a code and write nothing", async () => {
    const id = await account();
    expect(await code(worker, "globals:unlucky", { id })).toBe("GLOBAL_CONFLICT");
    const [row] = await read(step("accounts", "get", id));
    expect(row.name).not.toBe("unlucky");
    expect(row.balance).toBe(5);
    expect((await inspect(worker, "state", null)).runs.unlucky).toHaveLength(5);
  });

  test("and a second run that hangs end in time, and hold up nobody for good", async () => {
    const id = await account();
    expect(await code(worker, "globals:stuck", { id })).toBe("MUTATION_TIMEOUT");
    expect((await inspect(worker, "state", null)).runs.stuck).toHaveLength(2);
    expect(await balanceOf(id)).toBe(1);
  });

  test("for a unique value have one winner; upsert finds what was inserted meanwhile", async () => {
    const name = uniqueName();
    const insert = step("accounts", "insert", { name, balance: 1 });
    const answers = await Promise.all(
      ["a", "b", "c"].map((room) => call(worker, "globals:writeRoom", { room, steps: [insert] })),
    );
    expect(answers.map((answer) => answer.error?.code ?? "ok").toSorted()).toEqual(["NOT_UNIQUE", "NOT_UNIQUE", "ok"]);
    const other = uniqueName();
    const upsert = step("accounts", "upsert", {
      target: "name",
      create: { name: other, balance: 1 },
      update: { balance: 2 },
    });
    const upserts = await Promise.all(["a", "b", "c"].map((room) => inRoom(room, upsert)));
    expect(upserts.filter(([{ created }]) => created)).toHaveLength(1);
    expect(new Set(upserts.map(([{ id }]) => id)).size).toBe(1);
  });

  test("of several objects that add at random lose nothing", async () => {
    const ids = [await account(), await account(), await account()];
    const sums = new Map(ids.map((id) => [id, 0]));
    for (let round = 0; round < 12; round += 1) {
      const calls = Array.from({ length: random.below(4) + 1 }, (_, index) => ({
        id: random.pick(ids),
        amount: random.below(9) + 1,
        room: `r${index}`,
        name: uniqueName(),
      }));
      const answers = await Promise.all(calls.map((args) => call(worker, "globals:addRoom", args)));
      answers.forEach((answer: Answer, index) => {
        const { id, amount } = calls[index] as (typeof calls)[0];
        if (answer.error === undefined) sums.set(id, (sums.get(id) as number) + amount);
        else expect(answer.error.code).toBe("GLOBAL_CONFLICT");
      });
      for (const id of ids) {
        const [row] = await read(step("accounts", "findFirst", { where: { _id: id }, with: { entries: true } }));
        expect(row.balance).toBe(sums.get(id));
        expect(row.entries.reduce((sum: number, entry: Loose) => sum + entry.amount, 0)).toBe(sums.get(id));
      }
    }
  });
});

describe("a mutation happens once", () => {
  const stalledCount = async (): Promise<number> => (await inspect(worker, "state", null)).stalled;

  test.each(["id", "place"])(
    "when the process ends between D1's commit and the object's record: by %s",
    async (kind) => {
      const id = await account();
      const options = kind === "id" ? withId(uniqueName()) : withPlace(uniqueName(), 1);
      const args = { id, amount: 7, name: uniqueName() };
      await inspect(worker, "cut", ["stall"]);
      const lost = call(worker, "globals:add", args, options).catch((error: unknown) => error);
      while ((await stalledCount()) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      await worker.kill();
      expect(await lost).toBeInstanceOf(Error);
      await worker.spawn();
      expect(await balanceOf(id)).toBe(7);
      // The object knows nothing of it: the answer is D1's.
      const first = await result(worker, "globals:add", args, options);
      expect(first.balance).toBe(7);
      expect(await result(worker, "globals:add", args, options)).toEqual(first);
      expect(await balanceOf(id)).toBe(7);
      expect(await read(step("entries", "count"))).toEqual([1]);
    },
  );

  test("when the answer to its batch is lost, or the batch itself", async () => {
    const id = await account();
    for (const cut of ["after", "before"]) {
      for (const options of [{}, withId(uniqueName())]) {
        const before = await balanceOf(id);
        await inspect(worker, "cut", [cut]);
        const answer = await result(worker, "globals:add", { id, amount: 1, name: uniqueName() }, options);
        expect(answer.balance).toBe(before + 1);
        expect(await balanceOf(id)).toBe(before + 1);
      }
    }
  });

  test("and its id is another function's nowhere", async () => {
    const id = await account();
    const options = withId(uniqueName());
    await inspect(worker, "cut", []);
    await result(worker, "globals:add", { id, amount: 1, name: uniqueName() }, options);
    const other = { room: "elsewhere", steps: [step("accounts", "patch", id, { balance: 9 })] };
    expect(await code(worker, "globals:writeRoom", other, options)).toBe("CONFLICT");
    expect(await balanceOf(id)).toBe(1);
  });
});

describe("a database that fails", () => {
  test("is told, and nothing is decided: the same call succeeds when it is back", async () => {
    const id = await account();
    const options = withPlace(uniqueName(), 1);
    const args = { id, amount: 3, name: uniqueName() };
    await inspect(worker, "down", true);
    for (const [path, given] of [
      ["globals:add", args],
      ["globals:read", { steps: [step("accounts", "findMany")] }],
    ] as const) {
      const answer = await call(worker, path, given, options);
      expect(answer.status).toBe(503);
      expect(answer.error?.code).toBe("GLOBAL_UNAVAILABLE");
    }
    await inspect(worker, "down", false);
    expect((await result(worker, "globals:add", args, options)).balance).toBe(3);
  });

  test.each(["hang", "before"])("while it is written to is told, and the call may come again: %s", async (cut) => {
    const id = await account();
    const options = withPlace(uniqueName(), 1);
    const args = { id, amount: 3, name: uniqueName() };
    await inspect(worker, "cut", [cut, cut]);
    expect(await code(worker, "globals:add", args, options)).toBe("GLOBAL_UNAVAILABLE");
    expect(await balanceOf(id)).toBe(0);
    expect((await result(worker, "globals:add", args, options)).balance).toBe(3);
    expect(await balanceOf(id)).toBe(3);
  });

  test("and refuses what it is asked is an error of the call", async () => {
    const id = await account();
    await inspect(worker, "cut", ["refuse"]);
    expect(await code(worker, "globals:add", { id, amount: 3, name: uniqueName() })).toBe("INTERNAL");
    expect(await balanceOf(id)).toBe(0);
  });

  test("and lost its tables gets them again", async () => {
    await write(step("accounts", "insert", { name: "gone", balance: 1 }));
    for (const table of ["accounts", "entries", "__lunora_meta", "__lunora_changes", "__lunora_idempotency"])
      await d1(`DROP TABLE ${table}`);
    expect(await read(step("accounts", "findMany"))).toEqual([[]]);
    await write(step("accounts", "insert", { name: "gone", balance: 1 }));
    expect(await read(step("accounts", "count"))).toEqual([1]);
  });
});

describe("members of a group", () => {
  test("stay right around one that waits for D1, in their order", async () => {
    const id = await account();
    const post = (title: string): object => ({
      functionPath: "globals:write",
      args: { steps: [step("posts", "insert", { accountId: id, title })] },
    });
    const add = { functionPath: "globals:add", args: { id, amount: 1, name: uniqueName() } };
    const failing = { functionPath: "globals:write", args: { steps: [step("accounts", "patch", "nobody", {})] } };
    const list = {
      functionPath: "globals:write",
      args: { steps: [step("posts", "findMany"), step("accounts", "get", id)] },
    };
    const answers = await inspect(worker, "ordered", [post("a"), add, post("b"), list, failing, add, post("c"), list]);
    expect(answers.map(({ ok }: Loose) => ok)).toEqual([true, true, true, true, false, true, true, true]);
    const seen = [answers[3], answers[7]].map(({ body }: Loose) => [
      body.result[0].map((row: Loose) => row.title),
      body.result[1].balance,
    ]);
    expect(seen).toEqual([
      [["a", "b"], 1],
      [["a", "b", "c"], 2],
    ]);
    expect(await balanceOf(id)).toBe(2);
    await write(step("posts", "deleteWhere", { where: {} }));
  });

  test("are not held up for good by one that hangs", async () => {
    const id = await account();
    await inspect(worker, "cut", ["hang", "hang"]);
    const add = { functionPath: "globals:add", args: { id, amount: 1, name: uniqueName() } };
    const post = {
      functionPath: "globals:write",
      args: { steps: [step("posts", "insert", { accountId: id, title: "t" })] },
    };
    const answers = await inspect(worker, "ordered", [post, add, post]);
    expect(answers.map(({ ok }: Loose) => ok)).toEqual([true, false, true]);
    expect(await read(step("posts", "count"))).toEqual([2]);
    await write(step("posts", "deleteWhere", { where: {} }));
  });
});

test("each changed row is in the list of changes once, in the batch that changed it", async () => {
  const [{ head }] = await d1("SELECT coalesce(max(seq), 0) AS head FROM __lunora_changes");
  const [kept] = await write(
    step("accounts", "insert", { name: uniqueName(), balance: 0 }),
    step("accounts", "patch", $(0), { balance: 1 }),
    step("accounts", "insert", { name: uniqueName(), balance: 0 }),
    step("accounts", "delete", $(2)),
  );
  await write(step("accounts", "patch", kept, { balance: 1 }));
  await write(step("accounts", "delete", kept));
  const changes = await d1(`SELECT "table", id FROM __lunora_changes WHERE seq > ${head} ORDER BY seq`);
  expect(changes).toEqual([
    { table: "accounts", id: kept },
    { table: "accounts", id: kept },
  ]);
});
