import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { ALL_GLOBAL, appEntry, call, code, NAMESPACES, result, step } from "../testing/client.ts";
import type { Loose } from "../testing/loose.ts";
import { subscribe } from "../testing/query-view.ts";
import { SocketClient } from "../testing/socket-client.ts";
import { TestWorker } from "../testing/workerd.ts";

describe.each([
  { place: "a shard", options: {} },
  { place: "D1", options: ALL_GLOBAL },
])("rows in $place", ({ options: started }) => {
  let worker: TestWorker;

  beforeAll(async () => {
    worker = await TestWorker.start({ entry: appEntry("policies"), namespaces: NAMESPACES, ...started });
  });

  afterAll(() => worker?.stop());

  const as = (token?: string): { token?: string } => (token === undefined ? {} : { token });
  const read = (token: string | undefined, ...steps: object[]): Promise<Loose> =>
    result(worker, "policies:read", { steps }, as(token));
  const write = (token: string | undefined, ...steps: object[]): Promise<Loose> =>
    result(worker, "policies:write", { steps }, as(token));
  const writeCode = (token: string | undefined, ...steps: object[]): Promise<string> =>
    code(worker, "policies:write", { steps }, as(token));
  const system = (...steps: object[]): Promise<Loose> => result(worker, "policies:system", { steps });

  /** Teams `red` (ann, ben) and `blue` (ben), with a document of each member in each team. */
  let red: string;
  let blue: string;
  let annRed: string;
  let benRed: string;
  let benBlue: string;

  beforeEach(async () => {
    const tables = ["comments", "documents", "members", "teams", "audit"];
    const [, documents] = await system(
      step("comments", "deleteWhere", { where: {} }),
      step("documents", "findMany", { includeDeleted: true }),
    );
    await system(...documents.map((row: Loose) => step("documents", "hardDelete", row._id)));
    await system(
      ...tables.filter((table) => table !== "documents").map((table) => step(table, "deleteWhere", { where: {} })),
    );
    [red, blue] = await system(step("teams", "insert", { name: "red" }), step("teams", "insert", { name: "blue" }));
    await system(
      step("members", "insert", { user: "ann", teamId: red }),
      step("members", "insert", { user: "ben", teamId: red }),
      step("members", "insert", { user: "ben", teamId: blue }),
    );
    [annRed, benRed, benBlue] = await system(
      step("documents", "insert", { teamId: red, owner: "ann", title: "ann red", code: "1" }),
      step("documents", "insert", { teamId: red, owner: "ben", title: "ben red", code: "2" }),
      step("documents", "insert", { teamId: blue, owner: "ben", title: "ben blue", code: "3" }),
    );
    await system(step("comments", "insert", { documentId: benBlue, author: "ben", body: "on blue" }));
  });

  const titles = (rows: Loose[]): string[] => rows.map((row) => row.title);
  const walk = (terminal: unknown[], spec: object = {}): object => step("documents", "walk", { ...spec, terminal });

  describe("a row that may not be read is not there", () => {
    test("in lists, pages, counts and walks", async () => {
      const answers = await read(
        "ann",
        step("documents", "findMany"),
        step("documents", "findMany", { where: { owner: "ben" } }),
        step("documents", "findMany", { limit: 1, cursor: null, orderBy: { title: "desc" } }),
        step("documents", "findFirst", { where: { title: "ben blue" } }),
        step("documents", "count"),
        step("documents", "exists", { where: { title: "ben blue" } }),
        walk(["collect"], { order: "desc" }),
        walk(["collect"], { index: "by_team", range: [["eq", "teamId", blue]] }),
        walk(["first"], { order: "desc" }),
        walk(["take", 5]),
        walk(["unique"], { index: "by_code", range: [["eq", "code", "3"]] }),
        walk(["paginate", { numItems: 2 }]),
        walk(["iterate", 9]),
      );
      expect(titles(answers[0])).toEqual(["ann red", "ben red"]);
      expect(titles(answers[1])).toEqual(["ben red"]);
      expect(titles(answers[2].page)).toEqual(["ben red"]);
      expect(answers.slice(3, 6)).toEqual([null, 2, false]);
      expect(titles(answers[6])).toEqual(["ben red", "ann red"]);
      expect(answers[7]).toEqual([]);
      expect(answers[8].title).toBe("ben red");
      expect(titles(answers[9])).toEqual(["ann red", "ben red"]);
      expect(answers[10]).toBeNull();
      expect(answers[11]).toMatchObject({ isDone: true });
      expect(titles(answers[11].page)).toEqual(["ann red", "ben red"]);
      expect(titles(answers[12])).toEqual(["ann red", "ben red"]);
    });

    test("by id, with and without its table", async () => {
      const get = (token: string | undefined, id: string): Promise<Loose> =>
        read(token, step("documents", "get", id), step("", "get", id), step("", "get", "documents", id));
      expect((await get("ann", annRed)).map((row: Loose) => row?.title)).toEqual(["ann red", "ann red", "ann red"]);
      expect(await get("ann", benBlue)).toEqual([null, null, null]);
      expect(await get(undefined, annRed)).toEqual([null, null, null]);
      expect((await get("ben", benBlue)).map((row: Loose) => row?.title)).toEqual(["ben blue", "ben blue", "ben blue"]);
    });

    test("in relations, either way and at any depth", async () => {
      const many = step("teams", "findMany", { with: { documents: { with: { comments: true } } } });
      const one = step("comments", "findMany", { with: { document: { with: { team: true } } } });
      const [teams, comments] = await read("ann", many, one);
      expect(teams.map((team: Loose) => titles(team.documents))).toEqual([["ann red", "ben red"], []]);
      expect(comments.map((row: Loose) => row.document)).toEqual([null]);
      const [, seen] = await read("ben", many, one);
      expect(seen.map((row: Loose) => row.document.team.name)).toEqual(["blue"]);
      const [none] = await read(undefined, step("documents", "findMany", { with: { comments: true } }));
      expect(none).toEqual([]);
      expect((await read(undefined, step("comments", "count")))[0]).toBe(0);
    });

    test("under all policies together", async () => {
      await system(step("documents", "patch", benRed, { locked: true }));
      const [rows] = await result(
        worker,
        "policies:readUnlocked",
        { steps: [step("documents", "findMany")] },
        as("ann"),
      );
      expect(titles(rows)).toEqual(["ann red"]);
    });

    test("also when marked as deleted", async () => {
      await system(step("documents", "delete", benBlue), step("documents", "delete", benRed));
      const all = step("documents", "findMany", { includeDeleted: true });
      expect(titles((await read("ann", all))[0])).toEqual(["ann red", "ben red"]);
      expect((await read("ann", step("documents", "get", benBlue)))[0]).toBeNull();
    });

    test("until the membership that shows it is written, in the same mutation as well", async () => {
      const [before, , after] = await write(
        "ann",
        step("documents", "count"),
        step("members", "insert", { user: "ann", teamId: blue }),
        step("documents", "count"),
      );
      expect([before, after]).toEqual([2, 3]);
    });
  });

  describe("a write that policies refuse", () => {
    const mine = { owner: "ann", title: "new" };

    test("inserts nothing", async () => {
      expect(await writeCode("ann", step("documents", "insert", { teamId: red, owner: "ben", title: "x" }))).toBe(
        "FORBIDDEN",
      );
      expect(
        await writeCode(
          "ann",
          step("documents", "insertMany", [
            { teamId: red, ...mine },
            { teamId: red, owner: "x", title: "x" },
          ]),
        ),
      ).toBe("FORBIDDEN");
      expect((await system(step("documents", "count")))[0]).toBe(3);
      const [id] = await write("ann", step("documents", "insert", { teamId: red, ...mine }));
      expect((await read("ann", step("documents", "get", id)))[0].title).toBe("new");
      // The condition form: the comment's author has to be the caller.
      expect(await writeCode("ann", step("comments", "insert", { documentId: annRed, author: "ben", body: "x" }))).toBe(
        "FORBIDDEN",
      );
    });

    test("changes nothing, whichever way it is asked for", async () => {
      const refused = [
        step("documents", "patch", benRed, { title: "x" }),
        step("", "patch", benRed, { title: "x" }),
        step("documents", "replace", benRed, { teamId: red, ...mine }),
        step("documents", "patchMany", [
          { id: annRed, patch: { title: "x" } },
          { id: benRed, patch: { title: "x" } },
        ]),
        step("documents", "patchWhere", { where: { teamId: red }, patch: { title: "x" } }),
        step("documents", "upsert", {
          target: "code",
          create: { teamId: red, ...mine, code: "2" },
          update: { title: "x" },
        }),
        step("documents", "delete", benRed),
        step("documents", "deleteMany", [annRed, benRed]),
        step("documents", "deleteWhere", { where: {} }),
        step("documents", "hardDelete", benRed),
        // Not theirs to give away.
        step("documents", "patch", annRed, { owner: "ben" }),
      ];
      for (const one of refused) expect({ one, code: await writeCode("ann", one) }).toEqual({ one, code: "FORBIDDEN" });
      const [rows] = await system(step("documents", "findMany"));
      expect(titles(rows)).toEqual(["ann red", "ben red", "ben blue"]);
    });

    test("is refused for a row that may not be read, whatever the policies for writes say", async () => {
      // ben owns the document, and leaves the team.
      await system(step("members", "deleteWhere", { where: { user: "ben", teamId: blue } }));
      expect(await writeCode("ben", step("documents", "patch", benBlue, { title: "x" }))).toBe("FORBIDDEN");
      expect(await writeCode("ben", step("documents", "delete", benBlue))).toBe("FORBIDDEN");
      expect(
        await writeCode(
          "ben",
          step("documents", "upsert", {
            target: "code",
            create: { teamId: blue, owner: "ben", title: "x", code: "3" },
            update: { title: "x" },
          }),
        ),
      ).toBe("FORBIDDEN");
      expect(
        await write("ben", step("documents", "patchWhere", { where: { code: "3" }, patch: { title: "x" } })),
      ).toEqual([0]);
    });

    test("can be caught, and what was written before it in the same call is taken back with it", async () => {
      const [caught] = await write("ann", {
        ...step("documents", "patchMany", [
          { id: annRed, patch: { title: "x" } },
          { id: benRed, patch: { title: "x" } },
        ]),
        caught: true,
      });
      expect(caught).toEqual({ caught: "FORBIDDEN" });
      const [rows] = await system(step("documents", "findMany"));
      expect(titles(rows)).toEqual(["ann red", "ben red", "ben blue"]);
    });

    test("is told with the table and the operation", async () => {
      const answer = await call(worker, "policies:write", { steps: [step("documents", "delete", benRed)] }, as("ann"));
      expect(answer).toMatchObject({
        status: 403,
        error: { code: "FORBIDDEN", data: { table: "documents", operation: "delete" } },
      });
    });
  });

  describe("a write that they allow", () => {
    test("by ownership and by all policies of the operation", async () => {
      await write("ann", step("documents", "patch", annRed, { title: "mine" }));
      await write("ann", step("documents", "patchWhere", { where: { owner: "ann" }, patch: { title: "mine too" } }));
      expect(
        await write(
          "ann",
          step("documents", "upsert", {
            target: "code",
            create: { teamId: red, owner: "ann", title: "x", code: "1" },
            update: { title: "last" },
          }),
        ),
      ).toMatchObject([{ created: false }]);
      // The second policy for updates: a locked document is not changed, and not locked by its owner either.
      expect(await writeCode("ann", step("documents", "patch", annRed, { locked: true }))).toBe("FORBIDDEN");
      await write("ann", step("documents", "delete", annRed));
      await write("ann", step("documents", "restore", annRed));
      await write("ann", step("documents", "hardDelete", annRed));
      expect((await system(step("documents", "count")))[0]).toBe(2);
    });

    test("by permission of a role", async () => {
      expect(await writeCode("ann+guest", step("documents", "delete", benRed))).toBe("FORBIDDEN");
      expect(await writeCode("ann+Moderator", step("documents", "delete", benRed))).toBe("FORBIDDEN");
      await write("ann+moderator", step("documents", "delete", benRed));
    });

    test("takes triggers and cascades along, which no policy is asked about", async () => {
      await write("ann", step("comments", "insert", { documentId: annRed, author: "ann", body: "hello" }));
      await write("ann", step("teams", "delete", blue));
      const [audit, comments] = await system(step("audit", "findMany"), step("comments", "findMany"));
      expect(audit.map((row: Loose) => row.text)).toEqual(["on blue", "hello"]);
      expect(comments.map((row: Loose) => row.body)).toContain("hello");
    });
  });

  describe("where the schema requires policies", () => {
    test.each([
      ["a list", "bareRead", step("documents", "findMany")],
      ["an id", "bareRead", step("documents", "get", "AAAAAAAAAAAAAAAAAAAAAA")],
      ["a walk", "bareRead", walk(["collect"])],
      ["a count", "bareRead", step("documents", "count")],
      ["an insert", "bareWrite", step("audit", "insert", { text: "x" })],
      ["a search for what to change", "bareWrite", step("audit", "patchWhere", { where: {}, patch: { text: "x" } })],
      ["a read of a table that the policies leave out", "read", step("audit", "findMany")],
      [
        "a relation to one",
        "system",
        step("teams", "findMany", { with: { documents: { with: { comments: true, team: true } } } }),
        true,
      ],
      ["an operation that they leave out", "write", step("comments", "deleteWhere", { where: {} })],
      ["a nested function without them", "callsBare", step("documents", "findMany")],
    ] as [string, string, object, boolean?][])("%s needs one", async (_, name, one, isAllowed = false) => {
      const answer = await call(worker, `policies:${name}`, { steps: [one] }, as("ann"));
      if (isAllowed) expect(answer.status).toBe(200);
      else expect(answer).toMatchObject({ status: 403, error: { code: "RLS_REQUIRED" } });
    });

    test("public tables need none", async () => {
      await result(worker, "policies:bareWrite", { steps: [step("notices", "insert", { text: "to all" })] });
      const [rows] = await result(worker, "policies:bareRead", { steps: [step("notices", "findMany")] });
      expect(rows.map((row: Loose) => row.text)).toContain("to all");
    });
  });

  describe("a policy that is broken shows nothing", () => {
    test.each([
      ["answersNothing", "INTERNAL"],
      ["answersHole", "INTERNAL"],
      ["answersText", "INTERNAL"],
      ["throws", "INTERNAL"],
    ])("%s", async (name, wanted) => {
      for (const one of [step("documents", "findMany"), step("documents", "get", annRed), walk(["collect"])]) {
        const answer = await call(worker, `policies:${name}`, { steps: [one] }, as("ann"));
        expect(answer.error?.code).toBe(wanted);
        expect(JSON.stringify(answer)).not.toContain("secret");
      }
    });

    test("one that says no", async () => {
      const steps = [step("documents", "findMany"), step("documents", "get", annRed), step("documents", "count")];
      expect(await result(worker, "policies:answersNone", { steps }, as("ann"))).toEqual([[], null, 0]);
    });

    test("one that writes is refused", async () => {
      const one = step("documents", "findMany");
      expect(await code(worker, "policies:writesInPolicy", { steps: [one] }, as("ann"))).toBe("FORBIDDEN");
      const [rows] = await result(worker, "policies:bareRead", { steps: [step("notices", "findMany")] });
      expect(rows.map((row: Loose) => row.text)).not.toContain("by a policy");
    });
  });

  describe("a live query", () => {
    test("follows the memberships that its policies read", async () => {
      const connect = (token: string): Promise<SocketClient> => SocketClient.connect(worker, {}, { token });
      const [ann, ben] = await Promise.all([connect("ann"), connect("ben")]);
      const args = { steps: [step("documents", "findMany", { select: { title: true } })] };
      const first = await Promise.all([ann, ben].map((client) => subscribe(client, "s", "policies:read", args)));
      expect(first.map(({ data }) => titles(data[0]))).toEqual([
        ["ann red", "ben red"],
        ["ann red", "ben red", "ben blue"],
      ]);
      const [member] = await system(step("members", "insert", { user: "ann", teamId: blue }));
      expect(titles((await ann.next((frame) => frame.data?.[0].length === 3)).data[0])).toContain("ben blue");
      const from = ann.frames.length;
      await system(step("members", "delete", member));
      expect(titles((await ann.next((frame) => frame.id === "s", from)).data[0])).toEqual(["ann red", "ben red"]);
      expect(ben.frames.filter((frame) => frame.id === "s")).toHaveLength(1);
      ann.close();
      ben.close();
    });

    test("is refused what its function is refused", async () => {
      const client = await SocketClient.connect(worker, {}, { token: "ann" });
      const args = { steps: [step("documents", "findMany")] };
      expect(await subscribe(client, "s", "policies:bareRead", args)).toMatchObject({
        error: { code: "RLS_REQUIRED" },
      });
      client.close();
    });
  });
});
