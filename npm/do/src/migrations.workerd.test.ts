import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";

import { admin, HEADERS, TOKEN } from "../testing/admin-client.ts";
import { appEntry, call, inspect, NAMESPACES, result } from "../testing/client.ts";
import type { Loose } from "../testing/loose.ts";
import { migrate, progress } from "../testing/migrate.ts";
import { subscribe } from "../testing/query-view.ts";
import { Random } from "../testing/random.ts";
import { SocketClient } from "../testing/socket-client.ts";
import { TestWorker } from "../testing/workerd.ts";

const random = new Random(inject("seed"));
const ROOMS = ["red", "b/lue", "grün"];

let worker: TestWorker;

beforeAll(async () => {
  worker = await TestWorker.start({
    entry: appEntry("migrations"),
    namespaces: NAMESPACES,
    variables: { LUNORA_ADMIN_TOKEN: TOKEN },
  });
});

afterAll(() => worker?.stop());

const sql = (text: string, object?: string): Promise<Loose[]> => inspect(worker, "sql", text, object);
const write = (...steps: Loose[]): Promise<Loose[]> => result(worker, "t:write", { steps });
const list = (table: string): Promise<Loose[]> => result(worker, "t:list", { table });
const listRoom = (room: string, table = "messages"): Promise<Loose[]> => result(worker, "t:listRoom", { room, table });
const objectOf = (room: string): string => `room=${encodeURIComponent(room)}`;
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "no error",
    (error: Loose) => error.code as string,
  );

async function forget(object?: string): Promise<void> {
  await sql("CREATE TABLE IF NOT EXISTS __lunora_migrations(id TEXT)", object);
  await sql("DROP TABLE __lunora_migrations", object);
}

beforeEach(async () => {
  await write(["deleteWhere", "notes", { where: {} }]);
  for (const table of ["things", "odds", "pairs", "olds", "marks"]) await sql(`DELETE FROM ${table}`);
  // In a process of its own, so that no shard remembers having made the table that is dropped.
  await forget();
  for (const room of ROOMS) {
    await result(worker, "t:writeRoom", { room, steps: [["deleteWhere", "messages", { where: {} }]] });
    await sql("DELETE FROM marks", objectOf(room));
    await forget(objectOf(room));
  }
  await admin(worker, "migrate/end", { run: "a run" });
  await worker.restart();
});

describe("a run", () => {
  test("transforms every row once, up and back, and says what it did", async () => {
    await write(["fill", "things", 700, { text: "x" }]);
    expect(await migrate(worker, "1-count")).toMatchObject({ shards: 1, rows: 700, changed: 700, failed: 0 });
    expect(new Set((await list("things")).map(({ n }) => n))).toEqual(new Set([1]));
    expect(await migrate(worker, "1-count")).toMatchObject({ shards: 1, rows: 0, changed: 0 });
    expect((await progress(worker)).counts["1-count"]).toEqual({ pending: 0, partial: 0, applied: 1, failed: 0 });
    expect(await migrate(worker, "1-count", { direction: "down" })).toMatchObject({ rows: 700, changed: 700 });
    expect(new Set((await list("things")).map(({ n }) => n))).toEqual(new Set([0]));
    expect((await progress(worker)).counts["1-count"]).toMatchObject({ pending: 1, applied: 0 });
  });

  test("reaches every shard of the table's tier and no other", async () => {
    await write(["insert", "marks", { name: "root" }]);
    for (const room of ROOMS)
      await result(worker, "t:writeRoom", {
        room,
        steps: [
          ["fill", "messages", 10, { room, text: room }],
          ["insert", "messages", { room, text: "LOUD" }],
          ["insert", "marks", { name: room }],
        ],
      });
    expect(await migrate(worker, "3-messages")).toMatchObject({ shards: 3, rows: 33, changed: 30 });
    for (const room of ROOMS) {
      const texts = (await listRoom(room)).map(({ text }) => text);
      expect(texts).toEqual([...Array.from({ length: 10 }, () => room.toUpperCase()), "LOUD"]);
    }
    expect(await migrate(worker, "4-marks")).toMatchObject({ shards: 4, rows: 4, changed: 4 });
    expect((await list("marks"))[0]?.name).toBe("root!");
    for (const room of ROOMS) expect((await listRoom(room, "marks"))[0]?.name).toBe(`${room}!`);
    const { counts, migrations } = await progress(worker);
    expect(counts["3-messages"]).toMatchObject({ applied: 3 });
    expect(counts["4-marks"]).toMatchObject({ applied: 4 });
    expect(counts["1-count"]).toMatchObject({ pending: 1, applied: 0 });
    expect(migrations[0]).toEqual({ id: "1-count", table: "things", hasDown: true, isGlobal: false });
    expect(migrations.map(({ id }) => id)).toEqual(migrations.map(({ id }) => id as string).toSorted());
  });

  test("that is a rehearsal counts and writes nothing", async () => {
    await write(["fill", "things", 300, { text: "x" }]);
    const before = await sql("SELECT id, doc FROM things");
    const log = await sql("SELECT max(seq) AS head FROM __cdc_log");
    expect(await migrate(worker, "1-count", { dryRun: true, batchSize: 7 })).toMatchObject({
      shards: 1,
      rows: 300,
      changed: 300,
    });
    expect(await sql("SELECT id, doc FROM things")).toEqual(before);
    expect(await sql("SELECT max(seq) AS head FROM __cdc_log")).toEqual(log);
    expect((await progress(worker)).counts["1-count"]).toMatchObject({ pending: 1 });
    await write(["fill", "odds", 300, { text: "x" }], ["insert", "odds", { text: "throws" }]);
    const stopped = await migrate(worker, "2-wrong", { dryRun: true });
    expect(stopped).toMatchObject({ rows: 300, failed: 1 });
    expect(stopped.failures[0]).toMatchObject({ shard: "__root__", code: "MIGRATION_FAILED" });
    expect((await progress(worker)).counts["2-wrong"]).toMatchObject({ pending: 1, failed: 0 });
    await write(["fill", "pairs", 2, { text: "x" }]);
    // Rows that meet in a unique index do so in a rehearsal as well.
    expect((await migrate(worker, "8-pair", { dryRun: true })).failures[0]).toMatchObject({ code: "NOT_UNIQUE" });
  });

  test("runs no triggers, fills defaults, keeps indexes, and shows rows that are marked as deleted", async () => {
    const [id] = await write(["insert", "things", { text: "x" }], ["insert", "things", { text: "y" }]);
    await write(["delete", "things", id]);
    await sql("UPDATE things SET doc = json_remove(doc, '$.kind')");
    await sql("DELETE FROM notes");
    expect(await migrate(worker, "1-count")).toMatchObject({ rows: 2, changed: 2 });
    expect(await list("notes")).toEqual([]);
    expect(await sql("SELECT doc ->> 'n' AS n, doc ->> 'kind' AS kind FROM things")).toEqual([
      { n: 1, kind: "plain" },
      { n: 1, kind: "plain" },
    ]);
    const found = await sql("SELECT count(*) AS n FROM things INDEXED BY things__by_n WHERE doc ->> '$.n' = 1");
    expect(found[0].n).toBe(2);
  });

  test("sees columns that the schema no longer has; leaving one out removes it", async () => {
    await write(["insert", "olds", { text: "x" }], ["insert", "olds", { text: "y" }]);
    await sql("UPDATE olds SET doc = json_set(doc, '$.old', 'from old') WHERE doc ->> 'text' = 'x'");
    // Given back as it was it stays.
    await migrate(worker, "6-keep");
    expect(await sql("SELECT doc ->> 'old' AS old FROM olds ORDER BY _creationTime")).toEqual([
      { old: "from old" },
      { old: null },
    ]);
    expect(await migrate(worker, "6-rename")).toMatchObject({ rows: 2, changed: 1 });
    expect((await list("olds")).map(({ text }) => text)).toEqual(["from old", "y"]);
    expect(await sql("SELECT count(*) AS n FROM olds WHERE doc ->> 'old' IS NOT NULL")).toEqual([{ n: 0 }]);
    // Another order of columns is no change.
    expect(await migrate(worker, "7-same")).toMatchObject({ rows: 2, changed: 0 });
  });
});

describe("what a transform may not give", () => {
  test.each([
    ["throws", "MIGRATION_FAILED"],
    ["coded", "CONFLICT"],
    ["null", "MIGRATION_DOCUMENT_INVALID"],
    ["text", "MIGRATION_DOCUMENT_INVALID"],
    ["array", "MIGRATION_DOCUMENT_INVALID"],
    ["promise", "MIGRATION_DOCUMENT_INVALID"],
    ["id", "MIGRATION_DOCUMENT_INVALID"],
    ["time", "MIGRATION_DOCUMENT_INVALID"],
    ["type", "VALIDATION_ERROR"],
    ["missing", "VALIDATION_ERROR"],
    ["unknown", "VALIDATION_ERROR"],
    ["surrogate", "INVALID_TEXT"],
    ["large", "ROW_TOO_LARGE"],
    ["taken", "NOT_UNIQUE"],
  ])("%s: %s, with the row, and what came before stays", async (text, expected) => {
    const [, , id] = await write(
      ["insert", "odds", { text: "good", code: "taken" }],
      ["insert", "odds", { text: "good" }],
      ["insert", "odds", { text }],
      ["insert", "odds", { text: "good" }],
    );
    const ended = await migrate(worker, "2-wrong");
    expect(ended).toMatchObject({ rows: 2, changed: 2, failed: 1, shards: 1 });
    expect(ended.failures).toEqual([
      { shard: "__root__", code: expected, message: expect.any(String), id, creationTime: expect.any(Number) },
    ]);
    expect((await list("odds")).map(({ n }) => n ?? null)).toEqual([1, 1, null, null]);
    const { counts, failures } = await progress(worker);
    expect(counts["2-wrong"]).toMatchObject({ failed: 1 });
    expect(failures).toEqual([expect.objectContaining({ migration: "2-wrong", code: expected, id })]);
    // Corrected, it goes on where it was.
    await write(["patch", "odds", id, { text: "good" }]);
    expect(await migrate(worker, "2-wrong")).toMatchObject({ rows: 2, changed: 2, failed: 0 });
  });

  test("another shard", async () => {
    const room = "red";
    await result(worker, "t:writeRoom", { room, steps: [["insert", "messages", { room, text: "move" }]] });
    expect((await migrate(worker, "3-messages")).failures).toEqual([
      expect.objectContaining({ shard: objectOf(room), code: "SHARD_FIELD_IMMUTABLE" }),
    ]);
  });

  test("one shard that is stopped stops no other", async () => {
    for (const room of ROOMS)
      await result(worker, "t:writeRoom", {
        room,
        steps: [
          ["insert", "messages", { room, text: "a" }],
          ["insert", "messages", { room, text: room === "b/lue" ? "BAD" : "b" }],
          ["insert", "messages", { room, text: "c" }],
        ],
      });
    expect(await migrate(worker, "3-messages")).toMatchObject({ shards: 3, failed: 1, changed: 7 });
    expect((await listRoom("red")).map(({ text }) => text)).toEqual(["A", "B", "C"]);
    expect((await listRoom("b/lue")).map(({ text }) => text)).toEqual(["A", "BAD", "c"]);
    // The way back begins where the way there ended.
    expect(await migrate(worker, "3-messages", { direction: "down" })).toMatchObject({ failed: 0 });
    expect((await listRoom("b/lue")).map(({ text }) => text)).toEqual(["a", "BAD", "c"]);
  });
});

describe("a request", () => {
  test("is refused with a code when it cannot be meant", async () => {
    const ask = (body: object): Promise<string> => codeOf(admin(worker, "migrate", body));
    const good = { run: "r", id: "1-count", direction: "up" };
    expect(await ask({ ...good, id: "none" })).toBe("MIGRATION_NOT_FOUND");
    expect(await ask({ ...good, id: "toString" })).toBe("MIGRATION_NOT_FOUND");
    expect(await ask({ ...good, id: "5-world" })).toBe("NOT_IMPLEMENTED");
    expect(await ask({ ...good, id: "2-wrong", direction: "down" })).toBe("MIGRATION_IRREVERSIBLE");
    expect(await ask({ ...good, direction: "sideways" })).toBe("BAD_REQUEST");
    expect(await ask({ ...good, batchSize: 1_001 })).toBe("BAD_REQUEST");
    expect(await ask({ ...good, cursor: "{" })).toBe("BAD_REQUEST");
    expect(await ask({ id: "1-count", direction: "up" })).toBe("BAD_REQUEST");
    const { authorization, ...others } = HEADERS;
    const response = await worker.fetch("/_lunora/admin/migrate", { method: "POST", headers: others, body: "{}" });
    expect(response.status).toBe(401);
    expect(authorization).toContain(TOKEN);
  });

  test("of a second run waits until the first has ended", async () => {
    await write(["insert", "things", { text: "x" }]);
    await migrate(worker, "1-count", { run: "first" });
    expect(await codeOf(migrate(worker, "4-marks", { run: "second" }))).toBe("MIGRATION_IN_PROGRESS");
    // Looking harms nobody.
    expect(await migrate(worker, "4-marks", { run: "second", dryRun: true })).toMatchObject({ failed: 0 });
    await migrate(worker, "4-marks", { run: "first" });
    await admin(worker, "migrate/end", { run: "first" });
    await migrate(worker, "1-count", { run: "second" });
    await admin(worker, "migrate/end", { run: "second" });
    const [one, two] = await Promise.all(
      ["one", "two"].map((run) => codeOf(migrate(worker, "1-count", { run, direction: "down" }))),
    );
    expect([one, two].toSorted()).toEqual(["MIGRATION_IN_PROGRESS", "no error"]);
    expect((await list("things")).map(({ n }) => n)).toEqual([0]);
    for (const run of ["one", "two"]) await admin(worker, "migrate/end", { run });
  });

  test("of a migration whose neighbours on the same table are not where they have to be is refused", async () => {
    await write(["insert", "things", { text: "x" }]);
    const refused = [expect.objectContaining({ shard: "__root__", code: "MIGRATION_OUT_OF_ORDER" })];
    expect((await migrate(worker, "9-after")).failures).toEqual(refused);
    expect((await migrate(worker, "9-after", { dryRun: true })).failures).toEqual(refused);
    await migrate(worker, "1-count");
    expect(await migrate(worker, "9-after")).toMatchObject({ rows: 1, failures: [] });
    const down = { direction: "down" as const };
    expect((await migrate(worker, "1-count", down)).failures).toEqual(refused);
    expect(await migrate(worker, "9-after", down)).toMatchObject({ rows: 1, failures: [] });
    expect(await migrate(worker, "1-count", down)).toMatchObject({ rows: 1, failures: [] });
    // Those of other tables have nothing to do with it.
    expect(await migrate(worker, "7-same")).toMatchObject({ failed: 1 });
    expect(await migrate(worker, "4-marks")).toMatchObject({ failed: 0 });
  });

  test("is refused while writes are paused", async () => {
    await write(["insert", "things", { text: "x" }]);
    await admin(worker, "export/pause", { id: "dump", seconds: 60, cursor: null });
    expect((await migrate(worker, "1-count")).failures).toEqual([
      { shard: "__root__", code: "WRITES_PAUSED", message: expect.any(String) },
    ]);
    await admin(worker, "export/end", { id: "dump", cursor: null });
    expect(await migrate(worker, "1-count")).toMatchObject({ changed: 1, failed: 0 });
  });
});

test("live queries and shapes see it as they see any mutation", async () => {
  await write(["fill", "things", 120, { text: "x" }]);
  const client = await SocketClient.connect(worker);
  const first = await subscribe(client, "q", "t:list", { table: "things" });
  expect(first.data).toHaveLength(120);
  client.send({ type: "shape_subscribe", id: "s", shape: { name: "things" } });
  await client.next((frame) => frame.type === "pokeEnd");
  const from = client.frames.length;
  await migrate(worker, "1-count");
  const last = await client.next(
    (frame) => frame.id === "q" && frame.data !== undefined && frame.data.every((row: Loose) => row.n === 1),
    from,
  );
  expect(last.data).toHaveLength(120);
  const patched = new Map<string, number>();
  await client.next((frame) => {
    if (frame.type === "pokePart") for (const op of frame.rowsPatch) patched.set(op.key, op.value?.n);
    return frame.type === "pokeEnd" && patched.size === 120 && [...patched.values()].every((n) => n === 1);
  }, from);
  client.close();
});

test("writers at the same time: each row is transformed once, whoever wrote it and whenever", async () => {
  await write(["fill", "things", 2_000, { text: "old", n: 0 }]);
  const state = { isOver: false };
  const writer = async (index: number): Promise<void> => {
    const own: string[] = [];
    while (!state.isOver) {
      const id = own.length === 0 ? undefined : own[random.below(own.length)];
      if (id === undefined || random.chance(0.5)) {
        // New code writes what the transform makes: the line has not passed it, or it never will.
        const [inserted] = await write(["insert", "things", { text: `new ${index}`, n: 10 }]);
        own.push(inserted as string);
      } else if (random.chance(0.7)) await write(["patch", "things", id, { text: `patched ${index}` }]);
      else {
        await write(["deleteMany", "things", [id]]);
        own.splice(own.indexOf(id), 1);
      }
    }
  };
  const writers = Promise.all([0, 1, 2, 3].map(writer));
  const ended = await migrate(worker, "1-count", { batchSize: 20 });
  state.isOver = true;
  await writers;
  const rows = await sql("SELECT id, doc ->> 'n' AS n, doc ->> 'text' AS text FROM things");
  expect(rows.filter(({ text, n }) => text === "old" && n !== 1)).toEqual([]);
  expect(rows.filter(({ text }) => text === "old")).toHaveLength(2_000);
  // The others were there in time, or they came after the end.
  expect(rows.filter(({ text, n }) => text !== "old" && n !== 10 && n !== 11)).toEqual([]);
  expect(rows.filter(({ n }) => n === 1 || n === 11).length).toBeLessThanOrEqual(ended.changed);
});

test("a call of the migrated shard goes on between batches", async () => {
  await write(["fill", "things", 3_000, { text: "x" }]);
  const state = { isOver: false };
  let answered = 0;
  const running = migrate(worker, "1-count", { batchSize: 5 }).finally(() => (state.isOver = true));
  while (!state.isOver) {
    expect((await call(worker, "t:write", { steps: [] })).status).toBe(200);
    answered += 1;
  }
  expect(await running).toMatchObject({ changed: 3_000 });
  expect(answered).toBeGreaterThan(1);
});
