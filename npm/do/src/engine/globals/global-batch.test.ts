import { defineSchema, defineTable, v } from "@lunora/server";
import { beforeEach, describe, expect, test } from "vitest";

import { MemoryD1 } from "../../../testing/memory-d1.ts";
import { Random } from "../../../testing/random.ts";
import { seed } from "../../../../test-seed.ts";
import { Commit } from "../commit.ts";
import { encodeRow } from "../document.ts";
import type { StoredRow } from "../document.ts";
import { selectionOf } from "../find.ts";
import { statementsOf, WHOLE } from "../index-walk.ts";
import { termsOfIndex, termsOfOrder } from "../order.ts";
import { Schema } from "../schema.ts";
import { render } from "../statement.ts";
import type { Table, TableIndex } from "../table.ts";
import type { Statement } from "./d1-binding.ts";
import { failureKind } from "./d1-failure.ts";
import { batchOf, CHANGE_LIFETIME, outcomeOf, RESULT_LIFETIME } from "./global-batch.ts";
import type { GlobalBatch } from "./global-batch.ts";
import { applyGlobalSchema } from "./global-layout.ts";
import { MirrorReader } from "./mirror-reader.ts";
import { mirrorTables } from "./mirror-tables.ts";
import { overlaid, withoutIndexNames } from "./overlay.ts";
import { WrittenRows } from "./written-rows.ts";

const columns = { name: v.string(), code: v.optional(v.string()), size: v.optional(v.number()) };
const schema = new Schema(
  defineSchema({
    items: defineTable(columns).index("by_name", ["name"]).index("by_code", ["code"], { unique: true }).global(),
  }),
);
const items = schema.table("items");

let database: MemoryD1;
let keys = 0;

beforeEach(async () => {
  database = new MemoryD1();
  await applyGlobalSchema(database.run, schema);
});

const row = (id: string, fields: Record<string, unknown>, creationTime = 1): StoredRow =>
  encodeRow(items, id, creationTime, fields);

/** A commit over no storage: global tables need none. */
const newCommit = (): Commit => {
  const commit = new Commit({
    exec: () => {
      throw new Error("nothing is written here");
    },
  });
  commit.admit = () => {};
  return commit;
};

function batch(commit: Commit, own: Partial<GlobalBatch> = {}, prunes = false): Statement[] {
  const written = new WrittenRows(commit).tables;
  const facts = { key: `k${(keys += 1)}`, result: "[]", now: 1_000, guards: new Map(), written, ...own };
  return batchOf(facts, prunes);
}

const stored = async (): Promise<StoredRow[]> =>
  (await database.rows("SELECT id, _creationTime, doc, keys FROM items ORDER BY id")).map(
    ({ id, _creationTime, doc, keys: projections }) =>
      ({ id, creationTime: _creationTime, doc, keys: projections }) as StoredRow,
  );

async function put(...rows: StoredRow[]): Promise<void> {
  const commit = newCommit();
  for (const after of rows) commit.apply({ table: items, id: after.id, before: undefined, after });
  await database.run(batch(commit));
}

async function refusal(statements: readonly Statement[]): Promise<string> {
  try {
    await database.run(statements);
  } catch (error) {
    return failureKind(error);
  }
  return "taken";
}

/** Reads of all kinds over the rows. */
function reads(random: Random): Statement[] {
  const where = random.pick([
    undefined,
    { size: { gt: random.below(5) } },
    { name: { in: ["a", "b"] } },
    // More values than a statement takes one by one.
    { OR: Array.from({ length: 120 }, (_, size) => ({ size })) },
    { NOT: { code: { isNull: true } } },
  ]);
  const index = items.indexes.get(random.pick(["by_name", "by_code", "by_creation"])) as TableIndex;
  const descending = random.chance(0.5);
  const limit = random.chance(0.5) ? random.below(5) + 1 : undefined;
  const selection = selectionOf(items, { where }, {});
  const walks = [
    { table: items, terms: termsOfOrder(items, { size: "desc" }), range: WHOLE, ...selection, limit },
    { table: items, terms: termsOfIndex(index, descending), range: WHOLE, sqlIndex: index.sqlName, limit },
  ];
  return walks.flatMap((walk) => statementsOf(walk).map(render));
}

test("reads laid over what is written see what reads after the batch see", async () => {
  const random = new Random(seed);
  let model = new Map<string, StoredRow>();
  for (let round = 0; round < 150; round += 1) {
    const commit = newCommit();
    const present = new Map(model);
    const marks: { readonly mark: number; readonly present: Map<string, StoredRow> }[] = [];
    const written = new WrittenRows(commit);
    for (let count = random.below(9); count > 0; count -= 1) {
      if (random.chance(0.3)) marks.push({ mark: commit.mark(), present: new Map(present) });
      const undone = random.chance(0.15) ? marks.pop() : undefined;
      if (undone !== undefined) {
        commit.undo(undone.mark);
        present.clear();
        for (const [id, stays] of undone.present) present.set(id, stays);
        continue;
      }
      if (random.chance(0.3)) expect(written.of(items)?.size ?? 0).toBeGreaterThanOrEqual(0);
      const id = `i${random.below(20)}`;
      const before = present.get(id);
      const code = random.chance(0.4) ? `c${random.below(30)}` : undefined;
      const taken = [...present].some(([other, { doc }]) => other !== id && JSON.parse(doc).code === code);
      const fields = { name: random.pick(["a", "b", "é😀", "\u0000"]), size: random.below(8), code };
      const after =
        before !== undefined && random.chance(0.3)
          ? undefined
          : row(
              id,
              code === undefined || taken ? { ...fields, code: undefined } : fields,
              before?.creationTime ?? round,
            );
      commit.apply({ table: items, id, before, after });
      if (after === undefined) present.delete(id);
      else present.set(id, after);
    }
    const asked = reads(random);
    const pending = written.of(items);
    const before =
      pending === undefined
        ? undefined
        : await database.run(asked.map((statement) => overlaid(items, statement, pending)));
    await database.run(batch(commit, {}, random.chance(0.3)));
    expect(await stored()).toEqual([...present.values()].toSorted((left, right) => (left.id < right.id ? -1 : 1)));
    const after = await database.run(asked.map(withoutIndexNames));
    const ids = (rows: readonly Record<string, unknown>[]): unknown[] => rows.map(({ id, doc }) => [id, doc]);
    if (before !== undefined) expect(before.map(ids)).toEqual(after.map(ids));
    model = present;
  }
});

test("unique values may go round in a batch", async () => {
  const rows = ["a", "b", "c"].map((id) => row(id, { name: "n", code: id }));
  await put(...rows);
  const commit = newCommit();
  for (const [id, code] of [
    ["a", "b"],
    ["b", "c"],
    ["c", "a"],
  ] as const)
    commit.apply({ table: items, id, before: rows.find((one) => one.id === id), after: row(id, { name: "n", code }) });
  await database.run(batch(commit));
  expect((await stored()).map(({ doc }) => JSON.parse(doc).code)).toEqual(["b", "c", "a"]);
});

describe("a batch is refused as a whole", () => {
  const seen = row("a", { name: "seen" });
  const change = (): Commit => {
    const commit = newCommit();
    commit.apply({ table: items, id: "new", before: undefined, after: row("new", { name: "new", code: "x" }) });
    return commit;
  };
  const guards = (...rows: [string, StoredRow | undefined][]): GlobalBatch["guards"] =>
    new Map([[items, new Map(rows)]]);

  test.each([
    ["changed", row("a", { name: "other" }), "lost race"],
    ["removed", undefined, "lost race"],
    ["the same", seen, "taken"],
  ])("when a row that it saw is %s", async (_, present, expected) => {
    if (present !== undefined) await put(present);
    expect(await refusal(batch(change(), { guards: guards(["a", seen], ["absent", undefined]) }))).toBe(expected);
    const ids = (await stored()).map(({ id }) => id);
    expect(ids.includes("new")).toBe(expected === "taken");
  });

  test("when a row that was missing is there, or a long one changed", async () => {
    const long = row("a", { name: "x".repeat(300_000) });
    await put(long);
    expect(await refusal(batch(change(), { guards: guards(["a", undefined]) }))).toBe("lost race");
    expect(await refusal(batch(change(), { guards: guards(["a", row("a", { name: "y".repeat(300_000) })]) }))).toBe(
      "lost race",
    );
    expect(await refusal(batch(change(), { guards: guards(["a", long]) }))).toBe("taken");
  });

  test("when it happened before, whatever else is wrong with it", async () => {
    const first = batch(change(), { key: "same", result: '["path"]' });
    expect(await refusal(first)).toBe("taken");
    expect(await refusal(batch(change(), { key: "same", guards: guards(["a", seen]) }))).toBe("repeated");
    const [known] = await database.run([outcomeOf("same")]);
    expect(known).toEqual([{ result: '["path"]' }]);
  });

  test("when a unique value or an id is taken", async () => {
    await put(row("a", { name: "n", code: "x" }));
    expect(await refusal(batch(change()))).toBe("not unique");
  });
});

test("old changes and results are forgotten a bounded number at a time; the newest change never is", async () => {
  const copy = mirrorTables(schema).get("items") as Table;
  const reader = new MirrorReader({ read: (statements) => database.run(statements.map(render)) });
  expect(await reader.extent()).toEqual({ floor: 1, head: 0 });
  await put(...Array.from({ length: 300 }, (_, index) => row(`i${index}`, { name: "n" })));
  const all = await reader.changes(298, [copy]);
  expect([...(all?.rows.get(copy)?.keys() ?? [])]).toEqual(["i298", "i299"]);
  expect(await reader.extent()).toEqual({ floor: 1, head: 300 });
  const later = 1_000 + RESULT_LIFETIME + CHANGE_LIFETIME;
  const prune = (): Promise<unknown> =>
    database.run(batch(newCommit(), { now: later, key: `later${(keys += 1)}` }, true));
  await prune();
  expect(await reader.extent()).toEqual({ floor: 101, head: 300 });
  expect(await reader.changes(99, [copy])).toBeUndefined();
  for (let round = 0; round < 5; round += 1) await prune();
  expect(await reader.extent()).toEqual({ floor: 300, head: 300 });
  expect([...((await reader.changes(299, [copy]))?.rows.get(copy)?.keys() ?? [])]).toEqual(["i299"]);
  const [left] = await database.rows("SELECT count(*) AS count FROM __lunora_idempotency WHERE at < 2000");
  expect(left?.["count"]).toBe(0);
});
