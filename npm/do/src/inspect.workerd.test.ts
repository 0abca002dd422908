import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { admin } from "../testing/admin-client.ts";
import { appEntry, call, inspect, result } from "../testing/client.ts";
import { inspectApp, refusal, shardFiles, startInspected } from "../testing/inspect-client.ts";
import type { Loose } from "../testing/loose.ts";
import { SocketClient } from "../testing/socket-client.ts";
import type { TestWorker } from "../testing/workerd.ts";

const ROOT = "__root__";

let worker: TestWorker;
let person: Loose;

const ask = (operation: string, body: object = {}): Promise<Loose> =>
  inspectApp(worker, operation, { object: ROOT, ...body });
const refused = (operation: string, body: object = {}): Promise<string> =>
  refusal(worker, operation, { object: ROOT, ...body });
const edit = (op: string, table: string, more: object): Promise<Loose> => ask("edit", { op, table, ...more });

beforeAll(async () => {
  worker = await startInspected();
  await result(worker, "app:fill", { count: 100, from: 0 });
  for (const room of ["red", "grün"]) await result(worker, "app:say", { room, body: "hello" });
  person = (await edit("insert", "people", { document: { email: "ann@example.com" } })).row;
});
afterAll(() => worker?.stop());

describe("shards", () => {
  test("are listed by name, a page at a time, and found by a part of name or value", async () => {
    const names = (page: Loose): string[] => page.shards.map(({ name }: Loose) => name);
    const all = await inspectApp(worker, "shards", {});
    expect(all).toEqual({
      shards: [
        { name: ROOT, tier: "root" },
        { name: "room=gr%C3%BCn", tier: "shardBy" },
        { name: "room=red", tier: "shardBy" },
      ],
      cursor: null,
    });
    const first = await inspectApp(worker, "shards", { limit: 2 });
    expect([names(first), first.cursor]).toEqual([[ROOT, "room=gr%C3%BCn"], "room=gr%C3%BCn"]);
    expect(names(await inspectApp(worker, "shards", { limit: 2, cursor: first.cursor }))).toEqual(["room=red"]);
    expect(names(await inspectApp(worker, "shards", { search: "GRÜN" }))).toEqual(["room=gr%C3%BCn"]);
    expect(names(await inspectApp(worker, "shards", { search: "nowhere" }))).toEqual([]);
    for (const bad of [{ limit: 0 }, { limit: 201 }, { limit: "2" }, { cursor: 5 }, { search: {} }])
      expect(await refusal(worker, "shards", bad)).toBe("BAD_REQUEST");
  });

  test("that never were are told so, and none is made", async () => {
    const files = await shardFiles(worker);
    for (const object of ["room=nowhere", "nonsense", "__lunora_scheduler__", "room=%", "zzz=1"]) {
      for (const operation of ["shard", "oplog", "rows", "row", "clients", "shapes", "why"])
        expect(await refusal(worker, operation, { object, table: "messages", id: "x", shape: "inRoom" })).toBe(
          "SHARD_NOT_FOUND",
        );
      expect(await refusal(worker, "edit", { object, table: "messages", op: "delete", id: "x" })).toBe(
        "SHARD_NOT_FOUND",
      );
    }
    for (const object of ["nonsense", "zzz=1", "__lunora_scheduler__"])
      expect(await refusal(worker, "edit", { object, table: "messages", op: "insert", document: {} })).toBe(
        "SHARD_NOT_FOUND",
      );
    expect(await refusal(worker, "run", { functionPath: "app:said", args: { room: "nowhere" } })).toBe(
      "SHARD_NOT_FOUND",
    );
    expect(await shardFiles(worker)).toEqual(files);
    for (const object of [undefined, "", 5, null])
      expect(await refusal(worker, "shard", { object })).toBe("BAD_REQUEST");
  });
});

test("a row comes with its changes, also when it is gone", async () => {
  const { row, seq } = await edit("insert", "posts", { document: { author: person._id, title: "one" } });
  await edit("replace", "posts", { id: row._id, document: { author: person._id, title: "two" } });
  const seen = await ask("row", { table: "posts", id: row._id });
  expect(seen.row).toEqual({ ...row, title: "two" });
  expect(seen.history.map((entry: Loose) => [entry.seq, entry.op])).toEqual([
    [seq + 1, "update"],
    [seq, "insert"],
  ]);
  await edit("delete", "posts", { id: row._id });
  const gone = await ask("row", { table: "posts", id: row._id });
  expect([gone.row, gone.history[0].op]).toEqual([null, "delete"]);
  expect(await refused("row", { table: "posts" })).toBe("BAD_REQUEST");
  expect(await refused("row", { table: "nothing", id: row._id })).toBe("UNKNOWN_TABLE");
  expect(await refusal(worker, "row", { object: "room=red", table: "posts", id: row._id })).toBe("SHARD_MISMATCH");
});

test("a row and its newest change are of one moment, whoever writes meanwhile", async () => {
  const { row } = await edit("insert", "notes", { document: { owner: "busy", n: 0, text: "" } });
  const seen = new Set<string>();
  for (let n = 0; n < 60; n += 1) {
    const [, , { row: now, history }] = await Promise.all([
      edit("patch", "notes", { id: row._id, document: { text: `first ${n}` } }),
      edit("patch", "notes", { id: row._id, document: { text: `second ${n}` } }),
      ask("row", { table: "notes", id: row._id }),
    ]);
    expect(now).toEqual(history[0].after);
    seen.add(now.text);
  }
  // What is read beside two writes is from before, between or after them.
  expect(seen.size).toBeGreaterThan(20);
});

test("a shard whose rows cannot be read says so, and what is asked besides is answered", async () => {
  const object = "room=broken";
  const { row } = await edit("insert", "messages", { object, document: { room: "broken", body: "x" } });
  await inspect(worker, "sql", `UPDATE messages SET doc = '{' WHERE id = '${row._id}'`, object);
  expect(await refusal(worker, "rows", { object, table: "messages" })).toBe("INTERNAL");
  expect(await refusal(worker, "row", { object, table: "messages", id: row._id })).toBe("INTERNAL");
  expect((await ask("shard", { object })).log.head).toBe(1);
  expect((await ask("oplog", { object })).entries).toHaveLength(1);
  expect((await ask("rows", { object: "room=red", table: "messages" })).rows).toHaveLength(1);
  expect(worker.takeOutput()).toContain("admin inspect/rows");
});

describe("an edit", () => {
  test("is a mutation: trigger, unique index, relations, validators, op-log", async () => {
    const before = (await ask("shard")).log.head;
    const { seq, row } = await edit("insert", "people", { document: { email: "ben@example.com" } });
    // The row, and what its trigger wrote.
    expect(seq).toBe(before + 2);
    expect(await refused("edit", { op: "insert", table: "people", document: { email: "ben@example.com" } })).toBe(
      "NOT_UNIQUE",
    );
    expect(await refused("edit", { op: "insert", table: "people", document: { email: 5 } })).toBe("VALIDATION_ERROR");
    expect(await refused("edit", { op: "insert", table: "people", document: { name: "x" } })).toBe("VALIDATION_ERROR");
    const post = await edit("insert", "posts", { document: { author: row._id, title: "kept" } });
    const comment = await edit("insert", "comments", { document: { post: post.row._id, body: "goes" } });
    expect(await refused("edit", { op: "delete", table: "people", id: row._id })).toBe("RELATION_RESTRICTED");
    const deleted = await edit("delete", "posts", { id: post.row._id });
    expect(deleted.row).toBeNull();
    expect((await ask("row", { table: "comments", id: comment.row._id })).row).toBeNull();
    expect((await ask("oplog", { limit: 2 })).entries.map(({ op, table }: Loose) => `${op} ${table}`)).toEqual([
      "delete posts",
      "delete comments",
    ]);
  });

  test("that is refused leaves nothing", async () => {
    const { head } = (await ask("shard")).log;
    const bad: readonly (readonly [object, string])[] = [
      [{ op: "upsert", table: "people", document: {} }, "BAD_REQUEST"],
      [{ table: "people", document: {} }, "BAD_REQUEST"],
      [{ op: "insert", table: "people" }, "BAD_REQUEST"],
      [{ op: "insert", table: "people", document: [] }, "BAD_REQUEST"],
      [{ op: "insert", table: "people", document: "text" }, "BAD_REQUEST"],
      [{ op: "patch", table: "people", document: {} }, "BAD_REQUEST"],
      [{ op: "patch", table: "people", id: 5, document: {} }, "BAD_REQUEST"],
      [{ op: "patch", table: "people", id: "nowhere", document: {} }, "NOT_FOUND"],
      [{ op: "delete", table: "people", id: "nowhere" }, "NOT_FOUND"],
      [{ op: "insert", table: "nothing", document: {} }, "UNKNOWN_TABLE"],
      [{ op: "insert", table: "messages", document: { room: "red", body: "x" } }, "SHARD_MISMATCH"],
    ];
    for (const [body, expected] of bad) expect(await refused("edit", body), JSON.stringify(body)).toBe(expected);
    expect((await ask("shard")).log.head).toBe(head);
  });

  test("begins a shard, as any mutation does, and stays in it", async () => {
    const object = "room=begun";
    const document = { room: "begun", body: "first" };
    const { row } = await edit("insert", "messages", { object, document });
    expect(await result(worker, "app:said", { room: "begun" })).toEqual(["first"]);
    expect(
      await refusal(worker, "edit", {
        object,
        op: "insert",
        table: "messages",
        document: { ...document, room: "red" },
      }),
    ).toBe("SHARD_MISMATCH");
    expect(await refusal(worker, "edit", { object: "room=red", op: "delete", table: "messages", id: row._id })).toBe(
      "SHARD_MISMATCH",
    );
  });

  test("is refused while writes are paused", async () => {
    await admin(worker, "export/pause", { id: "pause", seconds: 60, cursor: null });
    try {
      expect(await refused("edit", { op: "insert", table: "people", document: { email: "late@example.com" } })).toBe(
        "WRITES_PAUSED",
      );
      expect((await ask("run", { functionPath: "app:note", args: { text: "late", times: 1 } })).error.code).toBe(
        "WRITES_PAUSED",
      );
    } finally {
      await admin(worker, "export/end", { id: "pause", cursor: null });
    }
    expect((await edit("insert", "people", { document: { email: "late@example.com" } })).row.email).toBe(
      "late@example.com",
    );
  });

  test("reaches subscribers", async () => {
    const socket = await SocketClient.connect(worker, {}, { token: "editor" });
    socket.send({ type: "shape_subscribe", id: "s", shape: { name: "notesFrom", args: { least: 1_000_000 } } });
    await socket.next(({ type }) => type === "pokeEnd");
    const { row, seq } = await edit("insert", "notes", { document: { owner: "editor", n: 2_000_000, text: "note" } });
    const part = await socket.next(({ type, rowsPatch }) => type === "pokePart" && rowsPatch.length > 0);
    expect(part.rowsPatch).toEqual([
      {
        op: "insert",
        key: row._id,
        table: "notes",
        value: { _id: row._id, _creationTime: row._creationTime, owner: "editor", n: 2_000_000 },
      },
    ]);
    expect((await socket.next(({ type, checkpoint }) => type === "pokeEnd" && checkpoint === seq)).checkpoint).toBe(
      seq,
    );
    socket.close();
  });
});

describe("run", () => {
  const run = (functionPath: string, more: object = {}): Promise<Loose> =>
    inspectApp(worker, "run", { functionPath, ...more });

  test("any function, as whoever, with the changes that it made", async () => {
    expect(await run("app:whoAmI", { identity: { userId: "eve", roles: ["admin"] } })).toEqual({
      result: { userId: "eve", roles: ["admin"] },
    });
    expect(await run("app:whoAmI")).toEqual({ result: null });
    const { head } = (await ask("shard")).log;
    expect(await run("app:note", { args: { text: "by eve", times: 3 }, identity: { userId: "eve" } })).toEqual({
      result: 3,
      fromSeq: head + 1,
      toSeq: head + 3,
    });
    const { entries } = await ask("oplog", { after: head });
    expect(entries.map(({ after }: Loose) => after.owner)).toEqual(["eve", "eve", "eve"]);
    expect(await run("app:note", { args: { text: "", times: 0 } })).toEqual({ result: 0 });
    expect(await run("app:said", { object: "room=red", args: { room: "red" } })).toEqual({ result: ["hello"] });
    // All but the one whose row cannot be read.
    expect((await run("app:saidAnywhere")).result.data.map(({ room }: Loose) => room).sort()).toEqual([
      "begun",
      "grün",
      "red",
    ]);
    expect(await run("app:outside", { args: { text: "there" }, identity: { userId: "eve" } })).toEqual({
      result: "eve there",
    });
  });

  test("beside others that share its group tells its own changes only", async () => {
    const ran = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        run("app:note", { args: { text: `beside ${index}`, times: 1 + (index % 3) } }),
      ),
    );
    for (const [index, { fromSeq, toSeq, result: times }] of ran.entries()) {
      expect(toSeq - fromSeq + 1).toBe(times);
      const { entries } = await ask("oplog", { after: fromSeq - 1, limit: times });
      for (const { after } of entries) expect(after.text).toBe(`beside ${index}`);
    }
  });

  test("tells errors as any caller hears them", async () => {
    const { head } = (await ask("shard")).log;
    const args = { text: "x", times: 2 };
    expect((await run("app:note", { args: { ...args, fails: "coded" } })).error).toMatchObject({
      code: "CONFLICT",
      data: { text: "x" },
    });
    const secret = await run("app:note", { args: { ...args, fails: "secret" } });
    expect(secret.error.code).toBe("INTERNAL");
    expect(JSON.stringify(secret)).not.toContain("1234");
    expect(worker.takeOutput()).toContain("the secret is 1234");
    expect((await run("app:note", { args: { text: 5, times: 1 } })).error.code).toBe("VALIDATION_ERROR");
    expect((await ask("shard")).log.head).toBe(head);
  });

  test("of bad requests is refused", async () => {
    const bad: readonly (readonly [object, string])[] = [
      [{}, "BAD_REQUEST"],
      [{ functionPath: "app:nothing" }, "FUNCTION_NOT_FOUND"],
      [{ functionPath: "constructor" }, "FUNCTION_NOT_FOUND"],
      [{ functionPath: "app:whoAmI", args: [] }, "BAD_REQUEST"],
      [{ functionPath: "app:whoAmI", identity: "eve" }, "BAD_REQUEST"],
      [{ functionPath: "app:whoAmI", identity: { userId: 5 } }, "BAD_REQUEST"],
      [{ functionPath: "app:said", args: {} }, "BAD_REQUEST"],
      [{ functionPath: "app:said", args: { room: "red" }, object: "room=other" }, "SHARD_MISMATCH"],
      [{ functionPath: "app:outside", args: { text: "x" }, object: ROOT }, "SHARD_MISMATCH"],
    ];
    for (const [body, expected] of bad) expect(await refusal(worker, "run", body), JSON.stringify(body)).toBe(expected);
    expect(await call(worker, "app:whoAmI")).toMatchObject({ error: { code: "FUNCTION_NOT_FOUND" } });
  });
});

test("a shard that cannot be opened answers by a code, and the others by themselves", async () => {
  const other = await startInspected();
  try {
    for (const body of ["same", "same"]) await result(other, "app:say", { room: "twice", body });
    await result(other, "app:say", { room: "once", body: "same" });
    await other.bundle(appEntry("inspected"), { IS_REFUSED: "true" });
    await other.restart();
    expect(await refusal(other, "rows", { object: "room=twice", table: "messages" })).toBe("UNIQUE_INDEX_REFUSED");
    expect(await refusal(other, "shard", { object: "room=twice" })).toBe("UNIQUE_INDEX_REFUSED");
    expect((await inspectApp(other, "rows", { object: "room=once", table: "messages" })).rows).toHaveLength(1);
    expect((await inspectApp(other, "shards", {})).shards).toHaveLength(2);
  } finally {
    await other.stop();
  }
});
