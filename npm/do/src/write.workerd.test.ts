import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { ALL_GLOBAL, appEntry, call, code, NAMESPACES, read, result, step, write } from "../testing/client.ts";
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

  const TABLES = [
    "invoices",
    "comments",
    "posts",
    "users",
    "items",
    "notes",
    "tickets",
    "sessions",
    "drafts",
    "audited",
    "log",
    "settings",
    "endless",
    "limits",
  ];

  beforeEach(async () => {
    for (const table of TABLES) {
      const [rows] = await read(worker, step(table, "findMany", { includeDeleted: true }));
      const method = ["notes", "items", "drafts"].includes(table) ? "hardDelete" : "delete";
      if (table === "audited")
        await write(worker, ...rows.map((row: Loose) => step(table, "patch", row._id, { locked: null })));
      for (const row of rows) await call(worker, "store:write", { steps: [step(table, method, row._id)] });
    }
    const [rows] = await read(worker, step("log", "findMany"));
    await write(worker, ...rows.map((row: Loose) => step("log", "delete", row._id)));
  });

  const $ = (index: number): object => ({ $ref: index });
  const refused = (...steps: object[]): Promise<string> => code(worker, "store:write", { steps });
  const counts = async (...tables: string[]): Promise<number[]> =>
    read(worker, ...tables.map((table) => step(table, "count")));

  const upsert = (name: string): object =>
    step("users", "upsert", { target: "email", create: { email: "a@x", name }, update: { name } });

  describe("insert, patch, replace, delete", () => {
    test("patch changes the named columns, clears with null and refuses undefined", async () => {
      const [id] = await write(worker, step("users", "insert", { email: "a@x", name: "Ann", nick: "an" }));
      await write(worker, step("users", "patch", id, { name: "Anna" }));
      expect((await read(worker, step("users", "get", id)))[0]).toMatchObject({
        email: "a@x",
        name: "Anna",
        nick: "an",
      });
      await write(worker, step("users", "patch", id, { nick: null }));
      expect((await read(worker, step("users", "get", id)))[0]).not.toHaveProperty("nick");
      // An undefined inside an object is lost on the wire, so the handler itself has to pass it.
      expect(await code(worker, "store:patchUndefined", { id })).toBe("BAD_REQUEST");
      expect(await refused(step("users", "patch", id, { name: null }))).toBe("VALIDATION_ERROR");
      expect(await refused(step("users", "patch", id, { unknown: 1 }))).toBe("VALIDATION_ERROR");
      expect(await refused(step("users", "patch", id, { _id: "other" }))).toBe("VALIDATION_ERROR");
      expect(await refused(step("users", "patch", "AAAAAAAAAAAAAAAAAAAAAA", { name: "x" }))).toBe("NOT_FOUND");
      expect(await refused(step("", "patch", "AAAAAAAAAAAAAAAAAAAAAA", { name: "x" }))).toBe("NOT_FOUND");
      await write(
        worker,
        step("", "patch", id, { name: "By id alone" }),
        step("", "patch", "users", id, { nick: "n" }),
      );
      expect((await read(worker, step("", "get", "users", id)))[0]).toMatchObject({ name: "By id alone", nick: "n" });
    });

    test("replace replaces every column and keeps id and creation time", async () => {
      const [id] = await write(worker, step("users", "insert", { email: "a@x", name: "Ann", nick: "an" }));
      const [before] = await read(worker, step("users", "get", id));
      await write(
        worker,
        step("users", "replace", id, { _id: id, _creationTime: before._creationTime, email: "b@x", name: "Ben" }),
      );
      expect((await read(worker, step("users", "get", id)))[0]).toEqual({
        _id: id,
        _creationTime: before._creationTime,
        email: "b@x",
        name: "Ben",
      });
      expect(await refused(step("users", "replace", id, { name: "Ben" }))).toBe("VALIDATION_ERROR");
    });

    test("defaults, server columns, updates and checks", async () => {
      const [id] = (await result(
        worker,
        "store:write",
        { steps: [step("settings", "insert", { key: "a", owner: "forged" })] },
        { token: "ann" },
      )) as string[];
      const [row] = await read(worker, step("settings", "get", id));
      expect(row).toMatchObject({ key: "a", level: 3, owner: "ann", revision: "new" });
      expect(row.madeAt).toBeGreaterThan(1_600_000_000_000);
      await result(
        worker,
        "store:write",
        { steps: [step("settings", "patch", id, { level: 4, owner: "forged" })] },
        { token: "ben" },
      );
      expect((await read(worker, step("settings", "get", id)))[0]).toMatchObject({
        level: 4,
        owner: "ben",
        revision: "updated",
        madeAt: row.madeAt,
      });
      await write(worker, step("settings", "replace", id, { key: "b", revision: "mine" }));
      expect((await read(worker, step("settings", "get", id)))[0]).toMatchObject({
        key: "b",
        level: 3,
        owner: "nobody",
        revision: "mine",
      });
      expect(await refused(step("settings", "insert", { key: "far too long a key" }))).toBe("VALIDATION_ERROR");
      expect(await refused(step("settings", "patch", id, { key: "far too long a key" }))).toBe("VALIDATION_ERROR");
    });

    test("a unique index refuses what is there already, by any kind of column", async () => {
      await write(
        worker,
        step("users", "insert", { email: "a@x", name: "Ann", score: 2n ** 80n }),
        step("users", "insert", { email: "b@x", name: "Ben" }),
      );
      const taken = await call(worker, "store:write", {
        steps: [step("users", "insert", { email: "c@x", name: "Cy", score: 2n ** 80n })],
      });
      expect(taken.error).toMatchObject({
        code: "NOT_UNIQUE",
        data: { table: "users", index: "by_score", fields: ["score"] },
      });
      expect(await refused(step("users", "patchWhere", { where: {}, patch: { email: "same@x" } }))).toBe("NOT_UNIQUE");
      // Absent values are not compared.
      await write(worker, step("users", "insert", { email: "d@x", name: "Di" }));
      expect(await counts("users")).toEqual([3]);
    });

    test("lists are written whole or not at all; duplicates can be left out", async () => {
      const users = [
        { email: "a@x", name: "A" },
        { email: "b@x", name: "B" },
        { email: "a@x", name: "again" },
      ];
      expect(await refused(step("users", "insertMany", users))).toBe("NOT_UNIQUE");
      expect(await counts("users")).toEqual([0]);
      const [ids] = await write(worker, step("users", "insertMany", users, { skipDuplicates: true }));
      expect(ids).toEqual([expect.any(String), expect.any(String), null]);
      expect((await write(worker, step("users", "insert", users[0], { skipDuplicates: true })))[0]).toBeNull();

      // Caught by the handler, a list that failed leaves nothing behind.
      // D1 tells of duplicates when the handler has ended, and the whole mutation fails.
      const caught = async (tried: object): Promise<unknown> => {
        const answer = await call(worker, "store:write", { steps: [{ ...tried, caught: true }] });
        return answer.error?.code ?? answer.result[0].caught;
      };
      const list = [
        { email: "c@x", name: "C" },
        { email: "a@x", name: "A" },
      ];
      expect(await caught(step("users", "insertMany", list))).toBe("NOT_UNIQUE");
      expect(await counts("users")).toEqual([2]);
      const changes = [
        { id: ids[0], patch: { name: "changed" } },
        { id: ids[1], patch: { email: "a@x" } },
      ];
      expect(await caught(step("users", "patchMany", changes))).toBe("NOT_UNIQUE");
      expect((await read(worker, step("users", "get", ids[0])))[0].name).toBe("A");
      expect(await caught(step("users", "deleteMany", [ids[0], "AAAAAAAAAAAAAAAAAAAAAA"]))).toBe("NOT_FOUND");
      expect(await counts("users")).toEqual([2]);
    });

    test("upsert creates, then updates; patchWhere and deleteWhere say how many", async () => {
      const [first, second] = await write(worker, upsert("one"), upsert("two"));
      expect(first.created).toBe(true);
      expect(second).toEqual({ id: first.id, created: false });
      expect((await read(worker, step("users", "get", first.id)))[0].name).toBe("two");
      await write(worker, step("users", "insert", { email: "b@x", name: "two" }));
      expect(
        await refused(step("users", "upsert", { target: ["name"], create: { email: "c@x", name: "two" }, update: {} })),
      ).toBe("NOT_UNIQUE");
      expect(
        await write(worker, step("users", "patchWhere", { where: { name: "two" }, patch: { name: "three" } })),
      ).toEqual([2]);
      expect(await write(worker, step("users", "deleteWhere", { where: { email: { gt: "a@x" } } }))).toEqual([1]);
      expect(await refused(step("users", "deleteWhere", {}))).toBe("BAD_REQUEST");
      expect(await write(worker, step("users", "deleteWhere", { where: {} }))).toEqual([1]);
    });

    test.each([99, 100, 101, 1_000])("one mutation writes, changes and deletes %i rows", async (count) => {
      const rows = Array.from({ length: count }, (_, index) => ({ text: `${index}` }));
      const [ids] = await write(worker, step("log", "insertMany", rows));
      expect(
        await write(
          worker,
          step("log", "patchWhere", {
            where: { text: { in: rows.map(({ text }) => text) } },
            patch: { text: "changed" },
          }),
        ),
      ).toEqual([count]);
      expect((await read(worker, step("log", "findMany", { where: { _id: { in: ids } } })))[0]).toHaveLength(count);
      await write(worker, step("log", "deleteMany", ids));
      expect(await counts("log")).toEqual([0]);
    });
  });

  describe("relations", () => {
    const family = [
      step("users", "insert", { email: "a@x", name: "Ann" }),
      step("users", "insert", { email: "b@x", name: "Ben" }),
      step("posts", "insert", { authorId: $(0), editorId: $(1), title: "one" }),
      step("posts", "insert", { authorId: $(1), editorId: $(0), title: "two" }),
      step("comments", "insert", { postId: $(2), body: "first" }),
      step("comments", "insert", { postId: $(2), parentId: $(4), body: "reply" }),
    ];

    test("deleting cascades, sets null and leaves the rest", async () => {
      const [ann] = await write(worker, ...family);
      await write(worker, step("users", "delete", ann));
      expect(await counts("users", "posts", "comments")).toEqual([1, 1, 0]);
      const [[post]] = await read(worker, step("posts", "findMany"));
      expect(post).toMatchObject({ title: "two" });
      expect(post).not.toHaveProperty("editorId");
    });

    test("a row that points here with restrict keeps everything as it is", async () => {
      const [ann, , post] = await write(worker, ...family, step("invoices", "insert", { userId: $(1), postId: $(2) }));
      const answer = await call(worker, "store:write", { steps: [step("users", "delete", ann)] });
      expect(answer).toMatchObject({
        status: 409,
        error: { code: "RELATION_RESTRICTED", data: { table: "invoices", field: "postId" } },
      });
      expect((await write(worker, { ...step("users", "delete", ann), caught: true }))[0]).toEqual({
        caught: "RELATION_RESTRICTED",
      });
      expect(await counts("users", "posts", "comments", "invoices")).toEqual([2, 2, 2, 1]);
      await write(worker, step("invoices", "deleteWhere", { where: { postId: post } }), step("users", "delete", ann));
      expect(await counts("users", "posts", "comments")).toEqual([1, 1, 0]);
    });

    test("cascades through a circle of rows end", async () => {
      const results = await write(worker, ...family, step("comments", "patch", $(4), { parentId: $(5) }));
      await write(worker, step("comments", "delete", results[4]));
      expect(await counts("comments", "posts")).toEqual([0, 2]);
    });

    test("with loads relations of both kinds, inside each other, without a statement for each row", async () => {
      const [ann, ben] = await write(worker, ...family);
      const [users] = await read(
        worker,
        step("users", "findMany", {
          orderBy: { email: "asc" },
          with: {
            posts: {
              orderBy: { title: "desc" },
              with: {
                author: { select: { name: true } },
                editor: true,
                comments: { limit: 1, where: { body: { ne: "none" } } },
              },
            },
            invoices: true,
          },
        }),
      );
      expect(users).toMatchObject([
        {
          _id: ann,
          invoices: [],
          posts: [
            { title: "one", author: { _id: ann, name: "Ann" }, editor: { _id: ben }, comments: [{ body: "first" }] },
          ],
        },
        { _id: ben, invoices: [], posts: [{ title: "two", editor: { _id: ann }, comments: [] }] },
      ]);
      expect(users[0].posts[0].author).toEqual({ _id: ann, name: "Ann" });
      const [[loose]] = await read(
        worker,
        step("posts", "findMany", { where: { title: "one" }, select: { title: true }, with: { editor: true } }),
      );
      expect(Object.keys(loose).sort()).toEqual(["_id", "editor", "title"]);
    });
  });

  describe("soft deletion", () => {
    test("marks, hides, restores and removes for good", async () => {
      const [note] = await write(
        worker,
        step("notes", "insert", { title: "a" }),
        step("items", "insert", { noteId: $(0) }),
      );
      await write(worker, step("notes", "delete", note));
      const listed = await read(
        worker,
        step("notes", "findMany"),
        step("notes", "count"),
        step("notes", "walk", { terminal: ["collect"] }),
        step("items", "count"),
        step("notes", "findMany", { includeDeleted: true }),
      );
      expect(listed).toMatchObject([[], 0, [], 0, [{ _id: note, deletedAt: expect.any(Number) }]]);
      expect(await refused(step("notes", "delete", note))).toBe("NOT_FOUND");
      await write(worker, step("notes", "restore", note));
      expect(await counts("notes", "items")).toEqual([1, 0]);
      const [[item]] = await read(worker, step("items", "findMany", { includeDeleted: true }));
      await write(worker, step("items", "restore", item._id));
      expect((await read(worker, step("items", "get", item._id)))[0].removedAt).toBeNull();
      await write(worker, step("notes", "hardDelete", note));
      expect(
        await read(worker, ...["notes", "items"].map((table) => step(table, "count", { includeDeleted: true }))),
      ).toEqual([0, 0]);
      expect(await refused(step("log", "restore", note))).toBe("BAD_REQUEST");
    });
  });

  describe("triggers", () => {
    test("change, refuse and follow writes in the same transaction", async () => {
      const [id] = await write(worker, step("audited", "insert", { name: "  ann " }));
      expect((await read(worker, step("audited", "get", id)))[0].name).toBe("ann");
      await write(worker, step("audited", "patch", id, { name: "ben", locked: true }));
      expect((await read(worker, step("audited", "get", id)))[0]).toMatchObject({ name: "BEN", locked: true });
      expect(await refused(step("audited", "delete", id))).toBe("INTERNAL");
      await write(worker, step("audited", "patch", id, { locked: null }), step("audited", "delete", id));
      const [log] = await read(worker, step("log", "findMany"));
      expect(log.map((row: Loose) => row.text)).toEqual([
        "added ann",
        "changed ann to BEN",
        "changed BEN to BEN",
        "removed BEN",
      ]);
    });

    test("a trigger that throws takes the write and everything that triggers wrote with it", async () => {
      for (const name of ["refused", "late"]) {
        expect(
          (
            await write(
              worker,
              { ...step("audited", "insert", { name }), caught: true },
              step("log", "insert", { text: name }),
            )
          )[0],
        ).toEqual({ caught: "thrown" });
        expect(await refused(step("audited", "insert", { name }))).toBe("INTERNAL");
      }
      expect(await counts("audited", "log")).toEqual([0, 2]);
    });

    test("writes side by side take turns: each is whole, one that fails takes only itself along", async () => {
      // D1 tells of duplicates when the mutation has ended, which then fails as a whole.
      const again = isFar ? "late" : "a";
      const outcomes = await result(worker, "store:together", { names: ["a", "late", "b", again, "c"] });
      expect(outcomes).toEqual(["fulfilled", "rejected", "fulfilled", "rejected", "fulfilled"]);
      const [rows, log] = await read(worker, step("audited", "findMany"), step("log", "findMany"));
      expect(rows.map((row: Loose) => row.name)).toEqual(["a", "b", "c"]);
      expect(log.map((row: Loose) => row.text)).toEqual(["added a", "added b", "added c"]);
    });

    test("triggers that call each other without end are stopped and leave nothing", async () => {
      expect(await refused(step("endless", "insert", { step: 0 }))).toBe("RUN_DEPTH_EXCEEDED");
      expect(await counts("endless")).toEqual([0]);
    });
  });

  const until = async (check: () => Promise<boolean>): Promise<void> => {
    while (!(await check())) await new Promise((resolve) => setTimeout(resolve, 50));
  };

  describe.skipIf(isFar)("time to live", () => {
    test("expired rows go, with what hangs on them; marked where their table marks", async () => {
      const now = Date.now();
      await write(
        worker,
        step(
          "sessions",
          "insertMany",
          Array.from({ length: 450 }, (_, index) => ({ expiresAt: now - index, name: "old" })),
        ),
        step("sessions", "insert", { expiresAt: now - 1, name: "with a ticket" }),
        step("tickets", "insert", { sessionId: $(1) }),
        step("sessions", "insert", { expiresAt: now + 3_600_000, name: "young" }),
        step("drafts", "insert", { savedAt: now - 10_000 }),
        step("drafts", "insert", { savedAt: now + 3_600_000 }),
      );
      await until(async () => (await counts("sessions", "drafts")).join() === "1,1");
      const [[session], marked] = await read(
        worker,
        step("sessions", "findMany"),
        step("drafts", "count", { includeDeleted: true }),
      );
      expect(session.name).toBe("young");
      expect(marked).toBe(2);
      expect(await counts("tickets")).toEqual([0]);
    });

    test("a row that expires while nothing runs goes after the restart", async () => {
      await write(worker, step("sessions", "insert", { expiresAt: Date.now() + 300, name: "short" }));
      await worker.restart();
      await until(async () => (await counts("sessions")).join() === "0");
    });
  });

  test.skipIf(isFar)("a global table of an app without the part that keeps them is refused", async () => {
    for (const steps of [
      [step("everywhere", "insert", { name: "x" })],
      [step("everywhere", "findMany")],
      [step("", "query", "everywhere")],
    ]) {
      expect(await refused(...steps)).toBe("NOT_IMPLEMENTED");
    }
  });
});
