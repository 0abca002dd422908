import { encodeValue } from "@lunora/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { inspect, result } from "../testing/client.ts";
import { allPages, inspectApp, refusal, startInspected } from "../testing/inspect-client.ts";
import type { Loose } from "../testing/loose.ts";
import type { TestWorker } from "../testing/workerd.ts";

const ROOT = "__root__";
const NOTES = 100_000;
const FILLED_AT_ONCE = 5_000;

let worker: TestWorker;
let person: Loose;

const ask = (operation: string, body: object = {}): Promise<Loose> =>
  inspectApp(worker, operation, { object: ROOT, ...body });
const refused = (operation: string, body: object = {}): Promise<string> =>
  refusal(worker, operation, { object: ROOT, ...body });
const edit = (op: string, table: string, more: object): Promise<Loose> => ask("edit", { op, table, ...more });

beforeAll(async () => {
  worker = await startInspected();
  for (let from = 0; from < NOTES; from += FILLED_AT_ONCE)
    await result(worker, "app:fill", { count: FILLED_AT_ONCE, from });
  for (const room of ["red", "grün"]) await result(worker, "app:say", { room, body: "hello" });
  person = (await edit("insert", "people", { document: { email: "ann@example.com" } })).row;
});
afterAll(() => worker?.stop());

test("a shard says what it holds", async () => {
  const facts = await ask("shard");
  expect(facts).toMatchObject({ name: ROOT, region: null, sockets: 0, subscriptions: 0, warnings: [] });
  expect(facts.objectId).toMatch(/^[0-9a-f]{64}$/);
  const table = (name: string): Loose => facts.tables.find((one: Loose) => one.name === name);
  expect(table("notes")).toEqual({ name: "notes", rows: 100_000, isAtLeast: true, isInternal: false });
  expect(table("people")).toEqual({ name: "people", rows: 1, isInternal: false });
  expect(table("__cdc_log").isInternal).toBe(true);
  // Of the person, its trigger's note and the notes.
  expect(facts.log).toMatchObject({ head: NOTES + 2, rows: NOTES + 3 - facts.log.floor });
  expect(facts.log.bytes).toBeGreaterThan(1_000);
  expect(facts.bytes).toBeGreaterThan(facts.log.bytes);
  expect(facts.lastWriteAt).toBeGreaterThan(facts.memberSince);
  const red = await ask("shard", { object: "room=red" });
  expect(red.tables.filter(({ isInternal }: Loose) => !isInternal)).toEqual([
    { name: "messages", rows: 1, isInternal: false },
  ]);
});

describe("rows", () => {
  const page = (more: object): Promise<Loose> => ask("rows", { table: "notes", ...more });

  test("come by id and by creation, all of them and each once, however far in", async () => {
    for (const orderBy of [{ _id: "asc" }, { _id: "desc" }, undefined, { n: "desc" }]) {
      const rows = await allPages(worker, "rows", { object: ROOT, table: "notes", orderBy }, "rows");
      expect(new Set(rows.map(({ _id }) => _id)).size).toBe(rows.length);
      expect(rows).toHaveLength(NOTES + 1);
      const key = orderBy === undefined ? "_creationTime" : (Object.keys(orderBy)[0] as string);
      const keys = rows.map((row) => row[key] as number);
      const sorted = [...keys].sort((one, other) => (one < other ? -1 : one > other ? 1 : 0));
      expect(keys).toEqual(Object.values(orderBy ?? {})[0] === "desc" ? sorted.toReversed() : sorted);
    }
  });

  test("are found by conditions and by text, with the end where it is", async () => {
    const find = (more: object): Promise<Loose[]> =>
      allPages(worker, "rows", { object: ROOT, table: "notes", ...more }, "rows");
    expect(
      (await find({ filter: { n: { in: [5, 77_777] }, owner: { ne: "ann@example.com" } } })).map(({ n }) => n),
    ).toEqual([5, 77_777]);
    expect((await find({ search: "note 9999" })).map(({ n }) => n)).toEqual([
      9999,
      ...Array.from({ length: 10 }, (_, i) => 99_990 + i),
    ]);
    expect(await find({ filter: { n: -1 } })).toEqual([]);
    // One request looks at a part of the table only.
    const first = await page({ filter: { n: 77_777 } });
    expect(first.rows).toEqual([]);
    expect(first.cursor).not.toBeNull();
  });

  test("are not sorted by what no index has, where there are many", async () => {
    expect(await refused("rows", { table: "notes", orderBy: { text: "asc" } })).toBe("QUERY_TOO_COMPLEX");
    expect(await refused("rows", { table: "notes", orderBy: [{ n: "asc" }, { _id: "desc" }] })).toBe(
      "QUERY_TOO_COMPLEX",
    );
    expect((await ask("rows", { table: "people", orderBy: { email: "desc" } })).total).toBe(1);
  });

  test("keep values and hide nothing that is marked as deleted", async () => {
    const { row } = await edit("insert", "notes", {
      document: encodeValue({ owner: "x", n: -5, text: "big", big: 2n ** 70n }),
    });
    await edit("delete", "notes", { id: row._id });
    const { rows } = await page({ orderBy: { n: "asc" }, limit: 1 });
    expect(rows).toEqual([{ ...row, deletedAt: expect.any(Number) }]);
    expect(row.big).toEqual(["$lunora.wire$", "bigint", String(2n ** 70n)]);
  });

  test("of bad questions are refused", async () => {
    const { cursor } = await page({ limit: 1 });
    for (const bad of [
      {},
      { table: 5 },
      { table: "notes", limit: 201 },
      { table: "notes", limit: 0.5 },
      { table: "notes", cursor: "nonsense" },
      { table: "notes", cursor: 5 },
      { table: "people", cursor },
      { table: "notes", cursor, orderBy: { _id: "asc" } },
      { table: "notes", cursor, filter: { n: 1 } },
      { table: "notes", orderBy: { nothing: "asc" } },
      { table: "notes", orderBy: { n: "up" } },
      { table: "notes", orderBy: "n" },
      { table: "notes", filter: [] },
      { table: "notes", filter: "n = 1" },
      { table: "notes", filter: { nothing: 1 } },
      { table: "notes", filter: { n: { like: 1 } } },
      { table: "notes", filter: { n: "text" } },
      { table: "notes", search: 5 },
    ])
      expect(await refused("rows", bad), JSON.stringify(bad)).toBe("BAD_REQUEST");
    expect(await refused("rows", { table: "nothing" })).toBe("UNKNOWN_TABLE");
    expect(await refused("rows", { table: "constructor" })).toBe("UNKNOWN_TABLE");
    expect(await refused("rows", { table: "__cdc_log" })).toBe("UNKNOWN_TABLE");
    expect(await refused("rows", { table: "messages" })).toBe("SHARD_MISMATCH");
  });
});

describe("the op-log", () => {
  test("is read from its newest end and from any place, with images", async () => {
    const { row, seq } = await edit("insert", "notes", { document: { owner: "log", n: 1, text: "first" } });
    await edit("patch", "notes", { id: row._id, document: { text: "second" } });
    const { entries, head, floor, epoch, next } = await ask("oplog", { limit: 2 });
    expect([head, next]).toEqual([seq + 1, seq]);
    expect(epoch).toMatch(/^[0-9a-f-]{36}$/);
    expect(floor).toBeGreaterThan(0);
    expect(entries).toEqual([
      {
        seq: seq + 1,
        at: expect.any(Number),
        table: "notes",
        id: row._id,
        op: "update",
        before: row,
        after: { ...row, text: "second" },
      },
      { seq, at: expect.any(Number), table: "notes", id: row._id, op: "insert", before: null, after: row },
    ]);
    const seqs = async (body: object): Promise<number[]> =>
      (await ask("oplog", body)).entries.map((entry: Loose) => entry.seq);
    expect(await seqs({ after: seq - 1 })).toEqual([seq, seq + 1]);
    expect(await seqs({ before: seq, limit: 2 })).toEqual([seq - 1, seq - 2]);
    expect(await seqs({ after: seq - 3, before: seq })).toEqual([seq - 2, seq - 1]);
    expect(await seqs({ table: "notes", id: row._id })).toEqual([seq + 1, seq]);
    expect(await seqs({ id: row._id, op: "insert" })).toEqual([seq]);
    expect(await seqs({ after: seq + 1 })).toEqual([]);
    expect(await seqs({ after: seq + 1_000 })).toEqual([]);
  });

  test("is filtered a part at a time, to the end", async () => {
    const found: Loose[] = [];
    let before: number | null | undefined;
    let requests = 0;
    while (before !== null) {
      const page: Loose = await ask("oplog", {
        table: "people",
        op: "insert",
        ...(before === undefined ? {} : { before }),
      });
      found.push(...page.entries);
      before = page.next;
      requests += 1;
    }
    expect(found.map(({ id }) => id)).toContain(person._id);
    expect(requests).toBeGreaterThan(1);
  });

  test("has long images whole", async () => {
    const text = "long ".repeat(300_000);
    const { row } = await edit("insert", "notes", { document: { owner: "log", n: 2, text } });
    const { entries } = await ask("oplog", { id: row._id });
    expect(entries[0].after).toEqual({ ...row, text });
  });

  test("is read to its end where images are long, each change once", async () => {
    const { seq, row } = await edit("insert", "notes", { document: { owner: "log", n: 3, text: "" } });
    const text = "x".repeat(60_000);
    for (let n = 0; n < 60; n += 1) await edit("patch", "notes", { id: row._id, document: { text: `${n} ${text}` } });
    const seen: number[] = [];
    let after: number | null = seq;
    let pages = 0;
    while (after !== null) {
      const page: Loose = await ask("oplog", { after });
      seen.push(...page.entries.map((entry: Loose) => entry.seq));
      after = page.next;
      pages += 1;
    }
    expect(seen).toEqual(Array.from({ length: 60 }, (_, index) => seq + 1 + index));
    expect(pages).toBeGreaterThan(1);
  });

  test("of a bad question is refused", async () => {
    for (const bad of [
      { limit: 501 },
      { limit: 0 },
      { before: -1 },
      { after: 1.5 },
      { after: "5" },
      { after: 5, before: 5 },
      { op: "upsert" },
      { table: 5 },
      { id: {} },
    ])
      expect(await refused("oplog", bad), JSON.stringify(bad)).toBe("BAD_REQUEST");
  });
});

test("pages by id, creation and index are read from where they begin", async () => {
  const plan = async (order: string, from: string): Promise<string> =>
    (
      await inspect(
        worker,
        "sql",
        `EXPLAIN QUERY PLAN SELECT id, doc FROM notes WHERE ${from} ORDER BY ${order} LIMIT 201`,
      )
    )
      .map(({ detail }: Loose) => detail)
      .join("; ");
  expect(await plan("id", "id > 'A'")).toMatch(/^SEARCH notes USING INDEX \S+ \(id>\?\)$/);
  expect(await plan("_creationTime, id", "_creationTime > 5")).toMatch(/^SEARCH notes USING INDEX notes__by_creation/);
});
