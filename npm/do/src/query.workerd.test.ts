import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

import { ALL_GLOBAL, appEntry, code, inspect, NAMESPACES, read, step, write } from "../testing/client.ts";
import { Random } from "../testing/random.ts";
import { compareValues, matches, POOLS, randomRow, randomWhere, sortRows } from "../testing/row-oracle.ts";
import { TestWorker } from "../testing/workerd.ts";
import type { Loose } from "../testing/loose.ts";

describe.each([
  { place: "a shard", options: {} },
  { place: "D1", options: ALL_GLOBAL },
])("rows in $place", ({ options: started }) => {
  const random = new Random(inject("seed"));

  let worker: TestWorker;
  /** Every row of `values`, in order of creation. */
  let rows: Loose[];
  /** Their ids, in the order of the inserts. */
  let inserted: string[];

  beforeAll(async () => {
    worker = await TestWorker.start({ entry: appEntry("store"), namespaces: NAMESPACES, ...started });
    [inserted] = await write(
      worker,
      step(
        "values",
        "insertMany",
        Array.from({ length: 400 }, () => randomRow(random)),
      ),
    );
    [rows] = await read(worker, step("values", "walk", { terminal: ["collect"] }));
  });

  afterAll(() => worker?.stop());

  const ids = (list: readonly Loose[]): string[] => list.map((row) => row._id);

  test("rows of one mutation have creation times of their own, in the order of the inserts", () => {
    expect(ids(rows)).toEqual(inserted);
    expect(new Set(rows.map((row) => row._creationTime)).size).toBe(rows.length);
    expect(rows).toEqual(sortRows(rows, []));
  });

  test("findMany, count, exists and findFirst agree with the oracle for every operator", async () => {
    const queries = Array.from({ length: 300 }, () => {
      const fields = Object.keys(POOLS)
        .filter(() => random.chance(0.3))
        .slice(0, 3);
      const orders = fields.map((field): [string, "asc" | "desc"] => [field, random.pick(["asc", "desc"])]);
      return { where: randomWhere(random), orders };
    });
    const answers = await read(
      worker,
      ...queries.flatMap(({ where, orders }) => {
        const options = { where, orderBy: orders.map(([field, direction]) => ({ [field]: direction })) };
        return [
          step("values", "findMany", options),
          step("values", "count", { where }),
          step("values", "exists", { where }),
          step("values", "findFirst", options),
        ];
      }),
    );
    queries.forEach(({ where, orders }, index) => {
      const expected = sortRows(
        rows.filter((row) => matches(row, where)),
        orders,
      );
      const [found, count, exists, first] = answers.slice(index * 4, index * 4 + 4);
      const label = JSON.stringify({ where, orders }, (_, value) => (typeof value === "bigint" ? `${value}n` : value));
      expect(ids(found), label).toEqual(ids(expected));
      expect([count, exists, first?._id], label).toEqual([expected.length, expected.length > 0, expected[0]?._id]);
    });
  });

  const INDEXES: Record<string, string[]> = {
    by_creation: [],
    by_text: ["text"],
    by_number: ["number"],
    by_flag: ["flag"],
    by_big: ["big"],
    by_bin: ["bin"],
    by_mixed: ["mixed"],
    by_text_number: ["text", "number"],
  };

  /** A range over an index, and the test of a row that says the same. */
  function randomRange(fields: readonly string[]): {
    range: [string, string, unknown][];
    keeps: (row: Loose) => boolean;
  } {
    const range: [string, string, unknown][] = [];
    const tests: ((row: Loose) => boolean)[] = [];
    const equal = random.below(fields.length + 1);
    for (const field of fields.slice(0, equal)) {
      const value = random.pick([...(POOLS[field] as unknown[]), null]);
      range.push(["eq", field, value]);
      tests.push((row) => compareValues(row[field], value) === 0);
    }
    const next = fields[equal];
    if (next !== undefined && random.chance(0.7)) {
      for (const operator of [random.pick(["gt", "gte"]), random.pick(["lt", "lte"])].filter(() =>
        random.chance(0.6),
      )) {
        const value = random.pick(POOLS[next] as unknown[]);
        range.push([operator, next, value]);
        tests.push((row) => matches(row, { [next]: { [operator]: value } }));
      }
    }
    return { range, keeps: (row) => tests.every((holds) => holds(row)) };
  }

  test("walks over every index agree with the oracle, with every terminal", async () => {
    const walks = Array.from({ length: 200 }, () => {
      const index = random.pick(Object.keys(INDEXES));
      const fields = INDEXES[index] as string[];
      const order = random.pick(["asc", "desc"] as const);
      const { range, keeps } = randomRange(fields);
      const keep = random.chance(0.3) ? (["flag", random.chance(0.5)] as const) : undefined;
      const expected = sortRows(
        rows.filter((row) => keeps(row) && (keep === undefined || row[keep[0]] === keep[1])),
        fields.length === 0 ? [["_creationTime", order]] : fields.map((field) => [field, order]),
      );
      return { spec: { index, range, order, ...(keep && { keep }) }, expected };
    });
    const answers = await read(
      worker,
      ...walks.flatMap(({ spec }) =>
        [["collect"], ["take", 7], ["first"], ["iterate", 150]].map((terminal) =>
          step("values", "walk", { ...spec, terminal }),
        ),
      ),
    );
    walks.forEach(({ spec, expected }, index) => {
      const [all, some, first, iterated] = answers.slice(index * 4, index * 4 + 4);
      const label = JSON.stringify(spec, (_, value) => (typeof value === "bigint" ? `${value}n` : value));
      expect(ids(all), label).toEqual(ids(expected));
      expect(ids(some), label).toEqual(ids(expected.slice(0, 7)));
      expect(first?._id, label).toBe(expected[0]?._id);
      expect(ids(iterated), label).toEqual(ids(expected.slice(0, 150)));
    });
  });

  test("the pages of a walk are the walk, with no row twice and none left out", async () => {
    for (let round = 0; round < 25; round += 1) {
      const index = random.pick(Object.keys(INDEXES));
      const order = random.pick(["asc", "desc"] as const);
      const { range } = randomRange(INDEXES[index] as string[]);
      const spec = { index, range, order };
      const [all] = await read(worker, step("values", "walk", { ...spec, terminal: ["collect"] }));
      const collected: Loose[] = [];
      const cursors: (string | null)[] = [null];
      for (;;) {
        const [page] = await read(
          worker,
          step("values", "walk", {
            ...spec,
            terminal: ["paginate", { numItems: random.below(60) + 1, cursor: cursors.at(-1) }],
          }),
        );
        collected.push(...page.page);
        cursors.push(page.continueCursor);
        if (page.isDone) break;
      }
      expect(ids(collected), JSON.stringify(spec.index)).toEqual(ids(all));

      // The same pages again, by their ends: whatever their size, they are the same rows.
      const again: Loose[] = [];
      for (let place = 1; place < cursors.length; place += 1) {
        const options = { numItems: 1, cursor: cursors[place - 1], endCursor: cursors[place] };
        const [page] = await read(worker, step("values", "walk", { ...spec, terminal: ["paginate", options] }));
        again.push(...page.page);
      }
      expect(ids(again)).toEqual(ids(all));
      const [behind] = await read(
        worker,
        step("values", "walk", { ...spec, terminal: ["paginate", { numItems: 5, cursor: cursors.at(-1) }] }),
      );
      expect(behind).toMatchObject({ page: [], isDone: true });
    }
  });

  test("the pages of findMany are findMany", async () => {
    for (let round = 0; round < 25; round += 1) {
      const where = randomWhere(random);
      const orderBy = [
        { [random.pick(Object.keys(POOLS))]: random.pick(["asc", "desc"]) },
        { [random.pick(Object.keys(POOLS))]: random.pick(["asc", "desc"]) },
      ];
      const [all] = await read(worker, step("values", "findMany", { where, orderBy }));
      const collected: Loose[] = [];
      let cursor: string | null = null;
      for (;;) {
        const [page]: Loose[] = await read(
          worker,
          step("values", "findMany", { where, orderBy, cursor, limit: random.below(50) + 1 }),
        );
        collected.push(...page.page);
        cursor = page.continueCursor;
        if (page.isDone) break;
      }
      expect(ids(collected)).toEqual(ids(all));
    }
  });

  const paginate = (cursor: unknown, index = "by_text"): object =>
    step("values", "walk", { index, terminal: ["paginate", { numItems: 2, cursor }] });

  test("cursors that no page returned are refused", async () => {
    const [{ continueCursor }] = await read(worker, paginate(null));
    const version = Buffer.from(JSON.stringify([2, "x", 0])).toString("base64url");
    const shape = Buffer.from(
      JSON.stringify([1, JSON.parse(Buffer.from(continueCursor, "base64url").toString())[1], [1]]),
    ).toString("base64url");
    for (const cursor of ["", "x", "%%%", "bnVsbA", version, shape, `${continueCursor}x`, 5, {}, [], true]) {
      expect(await code(worker, "store:read", { steps: [paginate(cursor)] }), String(cursor)).toBe("BAD_REQUEST");
    }
    expect(await code(worker, "store:read", { steps: [paginate(continueCursor, "by_number")] })).toBe("BAD_REQUEST");
    for (const numItems of [0, -1, 1.5, "5", null, 1e9]) {
      expect(
        await code(worker, "store:read", { steps: [step("values", "walk", { terminal: ["paginate", { numItems }] })] }),
      ).toBe("BAD_REQUEST");
    }
  });

  describe("plans", () => {
    const walks: [string, object][] = [
      ["the default order", { terminal: ["collect"] }],
      ["the default order backwards", { order: "desc", terminal: ["collect"] }],
      ["an index", { index: "by_text", terminal: ["collect"] }],
      ["an index backwards", { index: "by_big", order: "desc", terminal: ["collect"] }],
      ["an equal prefix", { index: "by_text_number", range: [["eq", "text", "a"]], terminal: ["collect"] }],
      ["an absent prefix", { index: "by_text_number", range: [["eq", "text", null]], terminal: ["collect"] }],
      [
        "a prefix and a range",
        {
          index: "by_text_number",
          range: [
            ["eq", "text", "a"],
            ["gt", "number", 1],
            ["lte", "number", 5],
          ],
          order: "desc",
          terminal: ["collect"],
        },
      ],
      ["creation inside an index", { index: "by_time_creation", range: [["eq", "time", 1]], terminal: ["collect"] }],
    ];

    test.each(walks)("%s is a walk over its index without sorting", async (_, spec) => {
      const plan: string[] = await inspect(worker, "plan", step("values", "walk", spec));
      expect(plan.length).toBeGreaterThan(0);
      for (const line of plan) {
        expect(line).toMatch(/USING (COVERING )?INDEX values__/);
        expect(line).not.toContain("TEMP B-TREE");
      }
    });

    test("a unique index and a table with soft deletion walk too", async () => {
      for (const [table, index] of [
        ["users", "by_email"],
        ["notes", "by_title"],
        ["notes", "by_creation"],
      ] as const) {
        const plan: string[] = await inspect(worker, "plan", step(table, "walk", { index, terminal: ["collect"] }));
        expect(plan).toEqual([expect.stringContaining(`INDEX ${table}__${index}`)]);
      }
    });

    test("findMany in the order of creation and by an indexed column needs no sorting", async () => {
      const plans = [
        {},
        { orderBy: { _creationTime: "desc" } },
        { where: { text: "a" } },
        { orderBy: { text: "desc" } },
        { where: { text: "a", number: { gt: 1 } }, orderBy: { number: "asc" } },
      ];
      for (const options of plans) {
        const plan: string[] = await inspect(worker, "plan", step("values", "findMany", options));
        expect(plan, JSON.stringify(options)).toEqual([expect.stringMatching(/USING INDEX values__/)]);
      }
    });
  });

  describe("conditions of any size", () => {
    test("lists longer than the bound values of a statement", async () => {
      const texts = Array.from({ length: 5_000 }, (_, index) => `${index}`);
      const [found] = await read(worker, step("values", "findMany", { where: { text: { in: [...texts, "a"] } } }));
      expect(ids(found)).toEqual(ids(rows.filter((row) => row.text === "a")));
    });

    test("more than 100 conditions side by side", async () => {
      const parts = Array.from({ length: 400 }, (_, index) => ({ number: index + 0.5 }));
      const [found] = await read(worker, step("values", "findMany", { where: { OR: [...parts, { number: 1.5 }] } }));
      expect(ids(found)).toEqual(
        ids(rows.filter((row) => typeof row.number === "number" && row.number >= 0 && row.number % 1 === 0.5)),
      );
    });

    test("a pattern longer than LIKE takes", async () => {
      const long = "needle ".repeat(40);
      const [id] = await write(worker, step("values", "insert", { text: `hay ${long} hay` }));
      const [found] = await read(worker, step("values", "findMany", { where: { text: { contains: long } } }));
      expect(ids(found)).toEqual([id]);
      await write(worker, step("values", "delete", id));
    });

    test("what fits no statement is refused with a code", async () => {
      let nested: Loose = { number: 1 };
      for (let depth = 0; depth < 20; depth += 1) nested = { NOT: nested };
      expect((await read(worker, step("values", "count", { where: nested })))[0]).toBeTypeOf("number");
      for (let depth = 0; depth < 20; depth += 1) nested = { NOT: nested };
      expect(await code(worker, "store:read", { steps: [step("values", "count", { where: nested })] })).toBe(
        "QUERY_TOO_COMPLEX",
      );
      const wide = { OR: Array.from({ length: 4_000 }, (_, index) => ({ number: index })) };
      expect(await code(worker, "store:read", { steps: [step("values", "count", { where: wide })] })).toBe(
        "QUERY_TOO_COMPLEX",
      );
    });
  });

  test("what is no query is refused with a code", async () => {
    const refused: [object, string][] = [
      [step("values", "findMany", { where: { nope: 1 } }), "BAD_REQUEST"],
      [step("values", "findMany", { where: { number: { nope: 1 } } }), "BAD_REQUEST"],
      [step("values", "findMany", { where: { number: "1" } }), "BAD_REQUEST"],
      [step("values", "findMany", { where: { number: { lt: null } } }), "BAD_REQUEST"],
      [step("values", "findMany", { where: { number: { in: 1 } } }), "BAD_REQUEST"],
      [step("values", "findMany", { where: { AND: {} } }), "BAD_REQUEST"],
      [step("values", "findMany", { where: [] }), "BAD_REQUEST"],
      [step("values", "findMany", { where: { anything: { eq: { a: 1 } } } }), "BAD_REQUEST"],
      [step("values", "findMany", { orderBy: { nope: "asc" } }), "BAD_REQUEST"],
      [step("values", "findMany", { orderBy: { number: "up" } }), "BAD_REQUEST"],
      [step("values", "findMany", { select: { nope: true } }), "BAD_REQUEST"],
      [step("values", "findMany", { with: { nope: true } }), "BAD_REQUEST"],
      [step("values", "findMany", { limit: -1 }), "BAD_REQUEST"],
      [step("values", "findMany", { nope: 1 }), "BAD_REQUEST"],
      [step("values", "walk", { index: "nope", terminal: ["first"] }), "BAD_REQUEST"],
      [
        step("values", "walk", { index: "by_text_number", range: [["eq", "number", 1]], terminal: ["first"] }),
        "BAD_REQUEST",
      ],
      [
        step("values", "walk", {
          index: "by_text",
          range: [
            ["gt", "text", "a"],
            ["eq", "text", "b"],
          ],
          terminal: ["first"],
        }),
        "BAD_REQUEST",
      ],
      [step("values", "walk", { index: "by_text", range: [["gt", "text", null]], terminal: ["first"] }), "BAD_REQUEST"],
      [step("values", "walk", { order: "up", terminal: ["first"] }), "BAD_REQUEST"],
      [step("values", "walk", { terminal: ["take", -1] }), "BAD_REQUEST"],
      [step("values", "walk", { terminal: ["unique"] }), "NOT_UNIQUE"],
      [step("", "query", "nope"), "UNKNOWN_TABLE"],
      [step("", "get", 5), "BAD_REQUEST"],
      [step("", "asId", "users", "nope"), "BAD_REQUEST"],
    ];
    for (const [wrong, expected] of refused) {
      expect(await code(worker, "store:read", { steps: [wrong] }), JSON.stringify(wrong)).toBe(expected);
    }
  });

  test("select, normalizeId and get with one id", async () => {
    const [row] = rows;
    const [picked, normal, notNormal, found, absent] = await read(
      worker,
      step("values", "findFirst", { where: { _id: row._id }, select: { text: true, _creationTime: true } }),
      step("", "normalizeId", "values", row._id),
      step("", "normalizeId", "values", "x"),
      step("", "get", row._id),
      step("", "get", "AAAAAAAAAAAAAAAAAAAAAA"),
    );
    expect(picked).toEqual({
      _id: row._id,
      _creationTime: row._creationTime,
      ...(row.text === undefined ? {} : { text: row.text }),
    });
    expect([normal, notNormal, absent]).toEqual([row._id, null, null]);
    expect(found).toEqual(row);
  });
});
