import { afterAll, beforeAll, expect, test } from "vitest";

import { appEntry, call, code, inspect, NAMESPACES, read, step, write } from "../testing/client.ts";
import { TestWorker } from "../testing/workerd.ts";
import type { Loose } from "../testing/loose.ts";

let worker: TestWorker;

beforeAll(async () => {
  worker = await TestWorker.start({
    entry: appEntry("evolving"),
    namespaces: NAMESPACES,
    define: { STAGE: '"first"' },
  });
  await write(
    worker,
    step(
      "people",
      "insertMany",
      Array.from({ length: 1_200 }, (_, index) => ({ name: `p${index % 7}`, age: index % 50, note: `n${index}` })),
    ),
  );
});

afterAll(() => worker?.stop());

/** The same storage under another schema. */
async function become(stage: string): Promise<void> {
  await worker.kill();
  await worker.bundle(appEntry("evolving"), { STAGE: JSON.stringify(stage) });
  await worker.spawn();
  // The schema is applied when the object is first called.
  await call(worker, "store:read", { steps: [] });
}

const indexes = async (): Promise<string[]> => {
  const rows = await inspect(
    worker,
    "sql",
    "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'people' AND sql IS NOT NULL ORDER BY name",
  );
  return rows.map((row: Loose) => row.name);
};

const walk = async (index: string, range: unknown[] = []): Promise<Loose[]> =>
  (await read(worker, step("people", "walk", { index, range, terminal: ["collect"] })))[0];

test("an index is added, changed and removed, and every row stays", async () => {
  expect(await indexes()).toEqual(["people__by_age", "people__by_creation"]);
  await become("indexAdded");
  expect(await walk("by_name", [["eq", "name", "p3"]])).toHaveLength(171);
  expect(await indexes()).toEqual(["people__by_age", "people__by_creation", "people__by_name"]);
  await become("indexChanged");
  expect(
    await walk("by_age", [
      ["eq", "age", 3],
      ["eq", "name", "p3"],
    ]),
  ).toHaveLength(4);
  const [{ sql }] = await inspect(worker, "sql", "SELECT sql FROM sqlite_master WHERE name = 'people__by_age'");
  expect(sql).toContain('$."name"');
  expect(await indexes()).toEqual(["people__by_age", "people__by_creation"]);
  await become("indexRemoved");
  expect(
    await code(worker, "store:read", { steps: [step("people", "walk", { index: "by_age", terminal: ["first"] })] }),
  ).toBe("BAD_REQUEST");
  expect(await indexes()).toEqual(["people__by_creation"]);
  expect(await read(worker, step("people", "count"))).toEqual([1_200]);
  await become("first");
});

test("a unique index over duplicates is refused with a code; the schema of before works on", async () => {
  await become("unique");
  const answer = await call(worker, "store:read", { steps: [step("people", "count")] });
  expect(answer.error).toMatchObject({
    code: "UNIQUE_INDEX_REFUSED",
    data: { table: "people", index: "by_age", fields: ["age"] },
  });
  expect(await indexes()).toEqual(["people__by_age", "people__by_creation"]);
  await become("first");
  expect(await walk("by_age", [["eq", "age", 3]])).toHaveLength(24);
});

test("a removed column is out of sight, survives writes, and comes back with its values", async () => {
  const [before] = await walk("by_age", [["eq", "age", 7]]);
  await become("columnRemoved");
  const [row] = await walk("by_age", [["eq", "age", 7]]);
  expect(row).toEqual({ _id: before._id, _creationTime: before._creationTime, name: before.name, age: 7 });
  expect(await code(worker, "store:read", { steps: [step("people", "findMany", { where: { note: "n7" } })] })).toBe(
    "BAD_REQUEST",
  );
  await write(worker, step("people", "patch", row._id, { name: "renamed" }));
  await become("first");
  expect(await read(worker, step("people", "get", before._id))).toEqual([{ ...before, name: "renamed" }]);
  await write(worker, step("people", "patch", before._id, { name: before.name }));
});

test("rows from before a column was added stay readable and writable", async () => {
  await become("columnAdded");
  const [old] = (await read(worker, step("people", "findFirst", { where: { age: 9 } }))) as Loose[];
  expect(old).not.toHaveProperty("level");
  await write(worker, step("people", "patch", old._id, { name: "patched" }));
  expect(await read(worker, step("people", "get", old._id))).toMatchObject([{ name: "patched", note: old.note }]);
  expect(await code(worker, "store:write", { steps: [step("people", "insert", { name: "new", age: 1 })] })).toBe(
    "VALIDATION_ERROR",
  );
  const [id] = await write(worker, step("people", "insert", { name: "new", age: 1, rank: 5 }));
  expect(await walk("by_level", [["eq", "level", 1]])).toMatchObject([{ _id: id }]);
  expect(await walk("by_level", [["eq", "level", null]])).toHaveLength(1_200);
  await write(worker, step("people", "delete", id));
  await become("first");
});

test("a column of another class gets its sort keys for every row", async () => {
  await become("classChanged");
  const [id] = await write(worker, step("people", "insert", { name: "big", age: 2n ** 70n }));
  const rows = await walk("by_age");
  expect(rows).toHaveLength(1_201);
  expect(rows[0]._id).toBe(id);
  const ages = rows.slice(1).map((row) => row.age);
  expect(ages).toEqual(ages.toSorted((left, right) => left - right));
  await write(worker, step("people", "delete", id));
  await become("first");
  expect(await walk("by_age", [["eq", "age", 3]])).toHaveLength(24);
});
