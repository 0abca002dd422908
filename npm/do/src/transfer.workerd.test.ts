import { createHash } from "node:crypto";

import { canonicalJson } from "@lunora/protocol";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";

import {
  addedUp,
  admin,
  adminPages,
  exportAll,
  importAll,
  importRows,
  proofs,
  TOKEN,
  TRANSFER_NAMESPACES,
} from "../testing/admin-client.ts";
import { appEntry, call, code, inspect, result } from "../testing/client.ts";
import type { Loose } from "../testing/loose.ts";
import { Random } from "../testing/random.ts";
import { SocketClient } from "../testing/socket-client.ts";
import { TestWorker } from "../testing/workerd.ts";

const random = new Random(inject("seed"));
const TABLES = ["things", "people", "messages", "marks"];

const workers: TestWorker[] = [];

async function start(): Promise<TestWorker> {
  const worker = await TestWorker.start({
    entry: appEntry("transfer"),
    namespaces: TRANSFER_NAMESPACES,
    variables: { LUNORA_ADMIN_TOKEN: TOKEN },
  });
  workers.push(worker);
  return worker;
}

let source: TestWorker;
beforeEach(async () => {
  source = await start();
});
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.stop();
});

const write = (worker: TestWorker, ...steps: Loose[]): Promise<Loose[]> => result(worker, "t:write", { steps });
const writeRoom = (worker: TestWorker, room: string, ...steps: Loose[]): Promise<Loose[]> =>
  result(worker, "t:writeRoom", { room, steps });

/** Rows of a dump, decoded no further than JSON. */
const rowsOf = (lines: readonly string[]): Loose[] =>
  lines.map((line) => JSON.parse(line) as Loose).filter(({ kind }) => kind === undefined);

/** The hash of rows, computed otherwise. */
function hashOf(rows: readonly Loose[]): string {
  let sum = 0n;
  for (const { doc } of rows) sum += BigInt(`0x${createHash("sha256").update(canonicalJson(doc)).digest("hex")}`);
  return BigInt.asUintN(256, sum).toString(16).padStart(64, "0");
}

async function fillAll(worker: TestWorker): Promise<void> {
  await write(
    worker,
    [
      "insert",
      "things",
      { text: "\u2028 & \u{1f600} \u0000", n: -0, big: 2n ** 70n, bytes: new Uint8Array([0, 255]).buffer },
    ],
    ["insert", "things", { text: "x".repeat(1_900_000) }],
    ["insert", "things", { text: "any", any: new Map<unknown, unknown>([["a", [1n, new Date(5)]]]), n: 0.1 }],
    ["insert", "people", { email: "ann@example.com" }],
    ["insert", "marks", { name: "at the root" }],
  );
  for (const room of ["red", "b/lue", "grün"])
    await writeRoom(worker, room, ["fill", "messages", 20, { room, text: room }], ["insert", "marks", { name: room }]);
}

describe("export", () => {
  test("every tier and value, in pages of any length, with a hash of each table", async () => {
    await fillAll(source);
    const whole = await exportAll(source, { id: "one", tables: TABLES });
    const pieces = await exportAll(source, { id: "two", tables: TABLES, length: 1 + random.below(3_000) });
    expect(pieces.lines).toEqual(whole.lines);
    const rows = rowsOf(whole.lines);
    expect(rows).toHaveLength(4 + 1 + 1 + 60 + 3);
    const sums = addedUp(whole.parts.map(({ tables }) => tables));
    for (const table of TABLES) {
      const own = rows.filter((row) => row.table === table);
      expect(sums[table]).toEqual([own.length, hashOf(own)]);
    }
    expect(await proofs(source, TABLES)).toEqual(sums);
    expect(addedUp(pieces.parts.map(({ tables }) => tables))).toEqual(sums);
  });

  test("a shard is as it was at its cut, under 8 writers, whatever the pages", async () => {
    const WRITERS = 8;
    const commits: { cursor: number; apply: (rows: Map<string, string>) => void }[] = [];
    const state = { isOver: false };
    const writer = async (index: number): Promise<void> => {
      const own: string[] = [];
      for (let n = 0; !state.isOver; n += 1) {
        const choice = random.fraction();
        const text = `${index} ${n}`;
        const id = own.length === 0 ? undefined : own[random.below(own.length)];
        const steps =
          id === undefined || choice < 0.5
            ? [["insert", "things", { text }]]
            : choice < 0.8
              ? [["patch", "things", id, { text }]]
              : [["delete", "things", id]];
        const response = await source.fetch("/_lunora/rpc", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ functionPath: "t:write", args: { steps } }),
        });
        const body = (await response.json()) as Loose;
        expect(body.error).toBeUndefined();
        const [method] = steps[0] as [string];
        const row = method === "insert" ? body.result[0] : (id as string);
        if (method === "insert") own.push(row);
        if (method === "delete") own.splice(own.indexOf(row), 1);
        commits.push({
          cursor: body.commitCursor,
          apply: (rows) => void (method === "delete" ? rows.delete(row) : rows.set(row, text)),
        });
      }
    };
    const writers = Array.from({ length: WRITERS }, (_, index) => writer(index));
    const until = async (count: number): Promise<void> => {
      while (commits.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await until(300);
    const dumps: string[][] = [];
    for (let round = 0; round < 3; round += 1) {
      const before = commits.length;
      const dump = await exportAll(source, { id: `cut ${round}`, tables: ["things"], length: 600 }, async () => {
        await until(commits.length + 3);
      });
      expect(commits.length).toBeGreaterThan(before + 10);
      dumps.push(dump.lines);
    }
    state.isOver = true;
    await Promise.all(writers);
    for (const lines of dumps) {
      const { seq } = JSON.parse(lines[0] as string) as { seq: number };
      const expected = new Map<string, string>();
      for (const { apply } of commits.filter(({ cursor }) => cursor <= seq).toSorted((a, b) => a.cursor - b.cursor))
        apply(expected);
      const found = new Map(rowsOf(lines).map(({ doc }) => [doc._id as string, doc.text as string]));
      expect(found.size).toBe(rowsOf(lines).length);
      expect([...found].toSorted()).toEqual([...expected].toSorted());
    }
  });

  test("a restart in the middle changes nothing, and the log is kept until the end", async () => {
    await write(source, ["fill", "things", 300, { text: "thing" }]);
    let pages = 0;
    const dump = await exportAll(source, { id: "x", tables: ["things"], length: 700 }, async () => {
      pages += 1;
      await write(source, ["fill", "things", 100, { text: `later ${pages}` }]);
      if (pages % 4 === 0) await source.restart();
    });
    expect(pages).toBeGreaterThan(8);
    expect(rowsOf(dump.lines)).toHaveLength(300);
    expect(
      await inspect(source, "sql", "SELECT name FROM sqlite_master WHERE name LIKE '\\_\\_export%' ESCAPE '\\'"),
    ).toEqual([]);
  });

  test("with writes paused, nothing is written until it ends or the pause is over", async () => {
    await fillAll(source);
    await adminPages(source, "export/pause", { id: "q", seconds: 600 });
    const step = { steps: [["insert", "things", { text: "late" }]] };
    expect(await code(source, "t:write", step)).toBe("WRITES_PAUSED");
    expect(await code(source, "t:writeRoom", { room: "red", ...step })).toBe("WRITES_PAUSED");
    expect(await code(source, "t:writeRoom", { room: "new", ...step })).toBe("SHARD_UNAVAILABLE");
    await source.restart();
    expect(await code(source, "t:write", step)).toBe("WRITES_PAUSED");
    expect(await result(source, "t:list", { table: "people" })).toHaveLength(1);
    await exportAll(source, { id: "q", tables: TABLES, isPaused: true });
    await adminPages(source, "export/end", { id: "q" });
    await write(source, ["insert", "things", { text: "after" }]);
    // One that nobody ends.
    await adminPages(source, "export/pause", { id: "dead", seconds: 1 });
    let answer: Loose;
    do answer = await call(source, "t:write", step);
    while (answer.error?.code === "WRITES_PAUSED");
    expect(answer.error).toBeUndefined();
    await expect(exportAll(source, { id: "dead", tables: TABLES, isPaused: true })).rejects.toMatchObject({
      code: "EXPORT_EXPIRED",
    });
  });
});

describe("import", () => {
  test("into an empty app: the same rows, hashes, ids and watermarks, and no trigger runs", async () => {
    await fillAll(source);
    const client = await SocketClient.connect(source, { clientId: "c", caps: ["batch"] }, { token: "ann" });
    const entry = (clientSeq: number): Loose => ({
      clientSeq,
      functionPath: "t:write",
      args: { steps: [["insert", "things", { text: `p${clientSeq}` }]] },
    });
    await client.push("c", [entry(1), entry(2)]);
    const kept = await call(
      source,
      "t:write",
      { steps: [["insert", "marks", { name: "once" }]] },
      { headers: { "x-lunora-mutation-id": "m1" } },
    );
    const dump = await exportAll(source, { id: "e", tables: TABLES });
    const target = await start();
    await importAll(target, "i", dump.lines, { mode: "empty", tables: TABLES });
    expect(await proofs(target, TABLES)).toEqual(await proofs(source, TABLES));
    const again = await exportAll(target, { id: "e2", tables: TABLES });
    const plain = (lines: string[]): string[] => lines.filter((line) => !line.startsWith('{"kind":"shard"'));
    expect(plain(again.lines)).toEqual(plain(dump.lines));
    // Where the client left off: entry 2 is decided, entry 3 is next.
    const moved = await SocketClient.connect(target, { clientId: "c", caps: ["batch"] }, { token: "ann" });
    expect(moved.connectAck.lastMutationId).toBe(2);
    const before = (await result(target, "t:list", { table: "things" })).length;
    await moved.push("c", [entry(2), entry(3)]);
    expect(await result(target, "t:list", { table: "things" })).toHaveLength(before + 1);
    const repeated = await call(
      target,
      "t:write",
      { steps: [["insert", "marks", { name: "once" }]] },
      { headers: { "x-lunora-mutation-id": "m1" } },
    );
    expect(repeated.result).toEqual(kept.result);
    expect(await result(target, "t:listRoom", { room: "b/lue", table: "messages" })).toHaveLength(20);
    // Indexes stand.
    expect(await code(target, "t:write", { steps: [["insert", "people", { email: "ann@example.com" }]] })).toBe(
      "NOT_UNIQUE",
    );
  });

  test("the shard answers nobody meanwhile, sockets have to come back, and the timeline is another", async () => {
    await fillAll(source);
    const dump = await exportAll(source, { id: "e", tables: TABLES });
    const target = await start();
    await write(target, ["insert", "things", { text: "old" }]);
    const client = await SocketClient.connect(target, { clientId: "c", caps: ["batch"] });
    const [{ value: epoch }] = await inspect(target, "sql", "SELECT value FROM __cdc_meta WHERE key = 'epoch'");
    await expect(importAll(target, "i", dump.lines, { mode: "empty", tables: TABLES })).rejects.toMatchObject({
      code: "IMPORT_TARGET_NOT_EMPTY",
    });
    await adminPages(target, "import/abort", { id: "i" });
    await adminPages(target, "import/begin", { id: "j", mode: "replace", tables: TABLES });
    expect((await client.closed).code).toBe(1012);
    expect(await code(target, "t:list", { table: "things" })).toBe("IMPORT_IN_PROGRESS");
    await target.restart();
    expect(await code(target, "t:list", { table: "things" })).toBe("IMPORT_IN_PROGRESS");
    await expect(admin(target, "import/begin", { id: "k", mode: "replace", tables: TABLES })).rejects.toMatchObject({
      code: "IMPORT_IN_PROGRESS",
    });
    await importRows(target, "j", dump.lines);
    await importRows(target, "j", dump.lines);
    await adminPages(target, "import/prepare", { id: "j" });
    await admin(target, "import/commit", { id: "j" });
    // Killed before any shard was told: each rolls forward when it is reached.
    await target.restart();
    expect(await result(target, "t:list", { table: "people" })).toHaveLength(1);
    await adminPages(target, "import/finish", { id: "j" });
    expect(await proofs(target, TABLES)).toEqual(await proofs(source, TABLES));
    const [{ value: newEpoch }] = await inspect(target, "sql", "SELECT value FROM __cdc_meta WHERE key = 'epoch'");
    expect(newEpoch).not.toBe(epoch);
  });

  test("an abort leaves nothing, at whatever point", async () => {
    await fillAll(source);
    const dump = await exportAll(source, { id: "e", tables: TABLES });
    const target = await start();
    await write(target, ["insert", "things", { text: "old" }], ["insert", "people", { email: "old" }]);
    const before = await proofs(target, TABLES);
    for (const steps of [0, 1, 2]) {
      const id = `abort ${steps}`;
      await adminPages(target, "import/begin", { id, mode: "replace", tables: TABLES });
      if (steps > 0) await importRows(target, id, dump.lines);
      if (steps > 1) await adminPages(target, "import/prepare", { id });
      if (random.chance(0.5)) await target.restart();
      await adminPages(target, "import/abort", { id });
      expect(await proofs(target, TABLES)).toEqual(before);
      expect(
        await inspect(target, "sql", "SELECT name FROM sqlite_master WHERE name LIKE '\\_\\_import%' ESCAPE '\\'"),
      ).toEqual([]);
      await expect(admin(target, "import/commit", { id })).rejects.toMatchObject({ code: "IMPORT_NOT_OPEN" });
    }
  });

  test("merge keeps what is there, and the rows of the dump win", async () => {
    const [id] = await write(source, ["insert", "things", { text: "shared" }]);
    const dump = await exportAll(source, { id: "e", tables: ["things"] });
    await write(
      source,
      ["patch", "things", id, { text: "changed since" }],
      ["insert", "things", { text: "new since" }],
    );
    await importAll(source, "i", dump.lines, { mode: "merge", tables: ["things"] });
    const texts = (await result(source, "t:list", { table: "things" })).map(({ text }: Loose) => text);
    expect(texts.toSorted()).toEqual(["new since", "shared"]);
  });

  test("a unique index refuses before anything counts", async () => {
    await write(source, ["insert", "people", { email: "same" }]);
    const dump = await exportAll(source, { id: "e", tables: ["people"] });
    const target = await start();
    await write(target, ["insert", "people", { email: "same" }]);
    const before = await proofs(target, ["people"]);
    await adminPages(target, "import/begin", { id: "i", mode: "merge", tables: ["people"] });
    await importRows(target, "i", dump.lines);
    await expect(adminPages(target, "import/prepare", { id: "i" })).rejects.toMatchObject({
      code: "UNIQUE_INDEX_REFUSED",
    });
    await expect(admin(target, "import/commit", { id: "i" })).rejects.toMatchObject({ code: "IMPORT_NOT_OPEN" });
    await adminPages(target, "import/abort", { id: "i" });
    expect(await proofs(target, ["people"])).toEqual(before);
  });

  test("rows that the schema or the shard does not allow are refused by their line", async () => {
    const [id] = await write(source, ["insert", "things", { text: "t" }]);
    const [other] = await writeRoom(source, "red", ["insert", "messages", { room: "red", text: "m" }]);
    const target = await start();
    await adminPages(target, "import/begin", { id: "i", mode: "empty", tables: ["things", "messages"] });
    const root = '{"kind":"shard","name":"__root__"}';
    const red = '{"kind":"shard","name":"room=red"}';
    const thing = (fields: object): string =>
      JSON.stringify({ table: "things", doc: { _id: id, _creationTime: 1, text: "t", ...fields } });
    const message = (fields: object): string =>
      JSON.stringify({ table: "messages", doc: { _id: other, _creationTime: 1, room: "red", text: "m", ...fields } });
    const bad: [string, string, string][] = [
      [root, thing({ _id: "short" }), "BAD_REQUEST"],
      [root, thing({ _id: 5 }), "BAD_REQUEST"],
      [root, thing({ _creationTime: "now" }), "BAD_REQUEST"],
      [root, thing({ text: 5 }), "VALIDATION_ERROR"],
      [root, thing({ text: undefined }), "VALIDATION_ERROR"],
      [root, thing({ unknown: 1 }), "VALIDATION_ERROR"],
      [root, thing({ big: 5 }), "VALIDATION_ERROR"],
      [root, thing({ text: "\ud800" }), "INVALID_TEXT"],
      [root, thing({ text: "x".repeat(2_100_000) }), "ROW_TOO_LARGE"],
      [root, JSON.stringify({ table: "nowhere", doc: {} }), "UNKNOWN_TABLE"],
      [root, JSON.stringify({ table: "people", doc: {} }), "UNKNOWN_TABLE"],
      [root, message({}), "SHARD_MISMATCH"],
      [red, message({ room: "blue" }), "SHARD_MISMATCH"],
      [red, message({ _id: id }), "SHARD_MISMATCH"],
      [red, message({ reply: id }), "SHARD_MISMATCH"],
    ];
    for (const [shard, line, cause] of bad) {
      await expect(
        importRows(target, "i", [shard, shard === root ? thing({}) : message({}), line]),
        line.slice(0, 80),
      ).rejects.toMatchObject({
        code: "IMPORT_ROW_REFUSED",
        data: { line: 4, code: cause },
      });
    }
    for (const line of [
      "nonsense",
      "{",
      "[]",
      "null",
      '{"table":5}',
      '{"table":"things"}',
      '{"kind":"companion","table":"things","row":{}}',
      '{"kind":"other","table":"things","doc":{}}',
      `${"[".repeat(300)}`,
    ]) {
      await expect(importRows(target, "i", [root, line]), line).rejects.toMatchObject({
        code: "IMPORT_ROW_REFUSED",
        data: { line: 3 },
      });
    }
    for (const name of [
      "",
      "nowhere",
      "room",
      "=red",
      "other=red",
      "room=",
      "room=%zz",
      "room=a b",
      "room=%72ed",
      "__lunora_x",
    ]) {
      const line = JSON.stringify({ kind: "shard", name });
      await expect(importRows(target, "i", [line, message({})]), name).rejects.toMatchObject({ code: "BAD_REQUEST" });
    }
    await expect(importRows(target, "i", [message({})])).rejects.toMatchObject({ code: "BAD_REQUEST" });
    await expect(importRows(target, "i", [root, thing({}), thing({ text: "twice" })])).rejects.toMatchObject({
      code: "IMPORT_ROW_REFUSED",
      data: { line: 4 },
    });
  });
});

describe("where rows are", () => {
  test.each([1_000_000, 7])("rows and bytes of every table, over all shards, %d rows a page", async (rows) => {
    await fillAll(source);
    const tables: Record<string, Loose> = {};
    let shards = 0;
    let bytes = 0;
    let cursor: string | null = null;
    do {
      const page: Loose = await admin(source, "residency/tables", { cursor, rows });
      expect(page.jurisdiction).toBeNull();
      shards += page.shards;
      bytes += page.bytes;
      for (const [name, weight] of Object.entries(page.tables as Record<string, Loose>)) {
        const known = tables[name] ?? { rows: 0, bytes: 0, shards: 0 };
        tables[name] = {
          rows: known.rows + weight.rows,
          bytes: known.bytes + weight.bytes,
          shards: known.shards + weight.shards,
        };
      }
      ({ cursor } = page);
    } while (cursor !== null);
    expect(shards).toBe(4);
    const expected: Record<string, Loose> = {};
    for (const object of ["__root__", "room=red", "room=b%2Flue", "room=gr%C3%BCn"])
      for (const table of object === "__root__" ? ["things", "people", "marks"] : ["messages", "marks"]) {
        const stored: Loose[] = await inspect(source, "sql", `SELECT id, doc FROM ${table}`, object);
        const known = expected[table] ?? { rows: 0, bytes: 0, shards: 0 };
        const length = ({ id, doc }: Loose): number => Buffer.byteLength(id) + 8 + Buffer.byteLength(doc);
        expected[table] = {
          rows: known.rows + stored.length,
          bytes: known.bytes + stored.reduce((sum, row) => sum + length(row), 0),
          shards: known.shards + 1,
        };
      }
    expect(tables).toEqual(expected);
    expect(bytes).toBeGreaterThan(1_900_000);
  });
});
