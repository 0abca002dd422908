import { defineSchema, defineShape, defineTable, initLunora, rls, v } from "@lunora/server";
import type { LunoraDefinition, RegisteredShape } from "@lunora/server";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { GlobalShard } from "../../../testing/global-shard.ts";
import type { Loose } from "../../../testing/loose.ts";
import type { MemoryClient } from "../../../testing/memory-shard.ts";
import { ShapeViews } from "../../../testing/shape-view.ts";
import { shaping } from "../live/shaping.ts";
import { globals } from "./globals.ts";

const { mutation, query } = initLunora.dataModel<Loose>().create();

const handlers: Record<string, Loose> = {
  join: mutation
    .input({ user: v.string(), group: v.string() })
    .mutation(({ ctx, args }: Loose) => ctx.db.members.insert(args)),
  leave: mutation.input({ user: v.string() }).mutation(async ({ ctx, args }: Loose) => {
    for (const { _id } of await ctx.db.members.findMany({ where: args })) await ctx.db.members.delete(_id);
  }),
  post: mutation
    .input({ group: v.string(), text: v.string() })
    .mutation(({ ctx, args }: Loose) => ctx.db.posts.insert(args)),
  count: query.query(({ ctx }: Loose) => ctx.db.posts.count()),
};

const groupsOf = async (db: Loose, user: string | null): Promise<string[]> =>
  (await db.members.findMany({ where: { user } })).map((row: Loose) => row.group);

const shapes: Record<string, RegisteredShape> = {
  all: defineShape({ table: "posts" }),
  notes: defineShape({ table: "notes" }),
  joined: defineShape({
    table: "posts",
    where: async ({ db }: Loose) => ({ group: { in: (await db.notes.findMany()).map((row: Loose) => row.text) } }),
  }),
  inGroup: defineShape({ table: "posts", args: { group: v.string() }, where: (_, { group }) => ({ group }) }),
  mine: defineShape({
    table: "posts",
    where: async ({ db, auth }) => ({ group: { in: await groupsOf(db, auth.userId) } }),
  }),
  guarded: defineShape({
    table: "posts",
    use: [
      rls([
        {
          table: "posts",
          on: "read" as const,
          when: async ({ ctx, auth }: Loose) => ({ group: { in: await groupsOf(ctx.db, auth.userId) } }),
        },
      ]),
    ],
  }),
};

const definition: LunoraDefinition = {
  schema: defineSchema({
    posts: defineTable({ group: v.string(), text: v.string() }).global().index("by_text", ["text"], { unique: true }),
    notes: defineTable({ text: v.string() }).global(),
    members: defineTable({ user: v.string(), group: v.string() }),
  }),
  functions: Object.fromEntries(
    Object.entries(handlers).map(([exportName, { kind, visibility }]) => [
      `g:${exportName}`,
      { kind, visibility, address: { kind: "root" }, module: async () => handlers, exportName } as const,
    ]),
  ),
  shapes: Object.fromEntries(
    Object.entries(shapes).map(([name, { table }]) => [
      name,
      { table, address: { kind: "root" }, module: async () => shapes, exportName: name },
    ]),
  ),
  shaping,
  globals,
  app: {},
};

let shard: GlobalShard;

/** A client that keeps views. */
class Reader {
  readonly client: MemoryClient;
  readonly views = new ShapeViews();
  #seen = 0;

  constructor(client: MemoryClient) {
    this.client = client;
  }

  subscribe(name: string, args: object = {}): void {
    this.client.send({ type: "shape_subscribe", ...this.views.subscribe(name, { name, args }) });
  }

  /** Everything that has come. */
  read(): this {
    const { frames } = this.client;
    for (const frame of frames.slice(this.#seen)) if (frame.type !== "ack") this.views.apply(frame);
    this.#seen = frames.length;
    return this;
  }

  texts(name: string): string[] {
    this.read();
    const { rows = new Map<string, string>() } = this.views.views.get(name) ?? {};
    return Array.from(rows.values(), (row) => (JSON.parse(row) as Loose).text as string).sort();
  }
}

const post = (id: string, group: string, text: string = id): Loose => ({
  table: "posts",
  id,
  document: { group, text },
});

beforeEach(async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  shard = await GlobalShard.start(definition);
  // The tables are made when they are first asked for.
  await shard.call("g:count");
});

afterEach(async () => {
  await shard.settle();
  vi.restoreAllMocks();
  shard.stop();
});

const reader = (userId?: string): Reader => new Reader(shard.connect("c", userId === undefined ? null : { userId }));

/** Rows of the copy. */
const copied = (): string[] =>
  shard.sqlite
    .exec("SELECT id FROM __global_posts ORDER BY id")
    .toArray()
    .map(({ id }) => id as string);

/** Alarms that come, up to a number of them. */
async function rings(most: number): Promise<number> {
  let count = 0;
  while (count < most && (await shard.ring())) count += 1;
  await shard.settle();
  return count;
}

const isDown = (): { there: number; back: number; isLost: "there" } => ({ there: 1, back: 1, isLost: "there" });
const isUp = (): { there: number; back: number } => ({ there: 1, back: 1 });

async function settled(one: Reader): Promise<Reader> {
  for (let turn = 0; turn < 10; turn += 1) await shard.settle();
  return one.read();
}

describe("a shape over a global table", () => {
  test("is filled from the database, and learns of changes by the alarm and not between", async () => {
    shard.write([post("a", "x"), post("b", "y")]);
    const one = reader();
    one.subscribe("inGroup", { group: "x" });
    await shard.settle();
    expect(one.texts("inGroup")).toEqual(["a"]);
    shard.write([post("c", "x"), post("b", "x"), post("a", "y")]);
    await shard.settle();
    expect(one.texts("inGroup")).toEqual(["a"]);
    expect(await shard.ring()).toBe(true);
    expect(one.texts("inGroup")).toEqual(["b", "c"]);
    // Rows that nobody has asked for are not here.
    expect(copied()).toEqual(["b", "c"]);
  });

  test("is refused where the app's definition has no part for global tables", async () => {
    const { globals: _, ...without } = definition;
    const other = await GlobalShard.start(without);
    const client = other.connect("c");
    client.send({ type: "shape_subscribe", id: "all", shape: { name: "all" } });
    await other.settle();
    expect(client.frames.at(-1)).toMatchObject({ type: "error", id: "all", error: { code: "NOT_IMPLEMENTED" } });
    other.stop();
  });

  test("cannot be made from rows of a global table", async () => {
    const one = reader();
    one.subscribe("joined");
    await shard.settle();
    expect(one.read().views.views.get("joined")?.error).toMatchObject({ code: "SHAPE_READS_GLOBAL" });
  });

  test("a second subscriber of the same rows asks the database for nothing", async () => {
    shard.write([post("a", "x")]);
    const [one, other] = [reader(), reader()];
    one.subscribe("inGroup", { group: "x" });
    await shard.settle();
    const { answered } = shard.d1;
    other.subscribe("inGroup", { group: "x" });
    await shard.settle();
    expect(other.texts("inGroup")).toEqual(["a"]);
    expect(shard.d1.answered).toBe(answered);
  });

  test("one transaction of the database is one poke, however many rows it changes", async () => {
    const ids = Array.from({ length: 1_200 }, (_, index) => `p${index}`);
    const one = reader();
    one.subscribe("all");
    await shard.settle();
    const { pokes } = one.read().views;
    shard.write(ids.map((id) => post(id, "x")));
    await shard.ring();
    expect(one.texts("all")).toHaveLength(1_200);
    expect(one.views.pokes - pokes).toBe(1);
  });

  test("unique values may change places", async () => {
    shard.write([post("a", "x", "one"), post("b", "x", "two")]);
    const one = reader();
    one.subscribe("all");
    await shard.settle();
    shard.write([post("a", "x", "free"), post("b", "x", "one"), post("a", "x", "two")]);
    await shard.ring();
    expect(one.texts("all")).toEqual(["one", "two"]);
  });

  test("a row that was removed and made again under its id has the time of the new one", async () => {
    shard.write([post("a", "x")]);
    const one = reader();
    one.subscribe("all");
    await shard.settle();
    shard.write([{ table: "posts", id: "a" }, { ...(post("a", "x", "again") as object), creationTime: 5 } as Loose]);
    await shard.ring();
    const [row] = one.read().views.views.get("all")?.rows.values() ?? [];
    expect(JSON.parse(row as string)).toMatchObject({ _creationTime: 5, text: "again" });
  });

  test.each(["mine", "guarded"])(
    "%s: rows of another table that the condition is made from move the view",
    async (name) => {
      shard.write([post("a", "x"), post("b", "y"), post("c", "z")]);
      await shard.call("g:join", { user: "u", group: "x" });
      const one = reader("u");
      one.subscribe(name);
      await shard.settle();
      expect(one.texts(name)).toEqual(["a"]);
      await shard.call("g:join", { user: "u", group: "y" });
      await settled(one);
      expect(one.texts(name)).toEqual(["a", "b"]);
      await shard.call("g:leave", { user: "u" });
      await settled(one);
      expect(one.texts(name)).toEqual([]);
      expect(one.views).toMatchObject({ resets: 1, dropped: new Set() });
      // Changes of the meantime are in it.
      await shard.call("g:join", { user: "u", group: "z" });
      shard.write([post("d", "z")]);
      await settled(one);
      await shard.ring();
      expect(one.texts(name)).toEqual(["c", "d"]);
    },
  );

  test("filling a long one holds up nobody, and every turn is short", async () => {
    shard.write(Array.from({ length: 3_000 }, (_, index) => post(`p${index}`, "x")));
    shard.d1.fate = isUp;
    const one = reader();
    one.subscribe("all");
    await new Promise((resolve) => setImmediate(resolve));
    const during: number[] = [];
    while (one.read().views.views.get("all")?.checkpoint === undefined) {
      const answer = await shard.call("g:join", { user: "u", group: "x" });
      expect(answer.ok).toBe(true);
      during.push(shard.engine.log.head);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(one.texts("all")).toHaveLength(3_000);
    expect(during.length).toBeGreaterThan(3);
    for (const [index, head] of during.entries()) expect(head - (during[index - 1] ?? 0)).toBeLessThanOrEqual(501);
  });
});

describe("the alarm", () => {
  test("without changes polls read little and write nothing", async () => {
    shard.write([post("a", "x")]);
    reader().subscribe("all");
    await shard.settle();
    await rings(2);
    const written = (): unknown => shard.sqlite.exec("SELECT total_changes() AS n").toArray();
    const [before, asked] = [written(), shard.d1.answered];
    expect(await rings(5)).toBe(5);
    expect(written()).toEqual(before);
    expect(shard.d1.answered - asked).toBe(5);
  });

  test("rings while somebody is subscribed; the copies go when nobody has been for a while, and views resume", async () => {
    shard.write([post("a", "x"), post("b", "x")]);
    const one = reader();
    one.subscribe("all");
    await shard.settle();
    const before = one.read().views.copy();
    one.client.disconnect();
    await shard.settle();
    const asked = shard.d1.answered;
    // The log is swept by the same alarm, a day later.
    const start = shard.now;
    while (shard.alarm !== null && shard.alarm < start + 3_600_000) await shard.ring();
    expect(shard.d1.answered).toBe(asked);
    expect(shard.now).toBeGreaterThan(start);
    expect(copied()).toEqual([]);
    shard.write([post("a", "x", "changed"), { table: "posts", id: "b" }, post("c", "x")]);
    const other = new Reader(shard.connect("c"));
    const views = Object.assign(other, { views: before });
    views.subscribe("all");
    await shard.settle();
    expect(views.texts("all")).toEqual(["c", "changed"]);
    expect(before.resets).toBe(0);
    expect(copied()).toEqual(["a", "c"]);
  });

  test("goes on after sleep, and views with it", async () => {
    shard.write([post("a", "x")]);
    const one = reader();
    one.subscribe("all");
    await shard.settle();
    await shard.sleep();
    shard.write([post("b", "x")]);
    await rings(2);
    expect(one.texts("all")).toEqual(["a", "b"]);
    expect(one.views.resets).toBe(1);
  });

  test("who was waiting when the object fell asleep is answered after", async () => {
    shard.write([post("a", "x")]);
    shard.d1.fate = () => ({ there: 1_000_000, back: 0 });
    const one = reader();
    one.subscribe("all");
    await shard.settle();
    shard.d1.fate = isUp;
    await shard.sleep();
    await settled(one);
    expect(one.texts("all")).toEqual(["a"]);
  });

  test("who waits after sleep although the rows are there is answered as well", async () => {
    shard.write([post("a", "x")]);
    const one = reader();
    one.subscribe("all");
    await shard.settle();
    await shard.sleep();
    shard.write([post("b", "x")]);
    shard.d1.fate = () => ({ there: 1_000_000, back: 0 });
    const other = reader();
    other.subscribe("all");
    await shard.settle();
    shard.d1.fate = isUp;
    await shard.sleep();
    await settled(other);
    expect(other.texts("all")).toEqual(["a", "b"]);
  });

  test("the object's own writes are seen at once", async () => {
    const one = reader();
    one.subscribe("all");
    await shard.settle();
    expect(await shard.call("g:post", { group: "x", text: "own" })).toMatchObject({ ok: true });
    await settled(one);
    expect(one.texts("all")).toEqual(["own"]);
  });
});

describe("a database that does not answer", () => {
  test("is asked again, ever later; subscribers hear nothing of it and miss nothing", async () => {
    shard.write([post("a", "x")]);
    const one = reader();
    one.subscribe("all");
    await shard.settle();
    const count = one.read().client.frames.length;
    shard.d1.fate = isDown;
    shard.write([post("b", "x")]);
    const start = shard.now;
    await rings(6);
    expect(shard.now - start).toBeGreaterThan(6 * 2_000);
    expect(one.read().client.frames).toHaveLength(count);
    shard.d1.fate = isUp;
    await rings(2);
    expect(one.texts("all")).toEqual(["a", "b"]);
  });

  test("is an error to whoever cannot be answered, after a few attempts, and to nobody else", async () => {
    shard.write([post("a", "x"), post("b", "y")]);
    const one = reader();
    one.subscribe("inGroup", { group: "x" });
    await shard.settle();
    shard.d1.fate = isDown;
    const other = reader();
    other.subscribe("inGroup", { group: "y" });
    await settled(other);
    expect(other.views.views.get("inGroup")?.error).toBeUndefined();
    await rings(4);
    expect(other.read().views.views.get("inGroup")?.error).toMatchObject({ code: "GLOBAL_UNAVAILABLE" });
    expect(one.read().views.views.get("inGroup")?.error).toBeUndefined();
    shard.d1.fate = isUp;
    other.subscribe("inGroup", { group: "y" });
    await settled(other);
    expect(other.texts("inGroup")).toEqual(["b"]);
  });

  test("is waited for by a view whose condition moved, which then is right", async () => {
    shard.write([post("a", "x"), post("b", "y")]);
    await shard.call("g:join", { user: "u", group: "x" });
    const one = reader("u");
    one.subscribe("mine");
    await shard.settle();
    shard.d1.fate = isDown;
    await shard.call("g:join", { user: "u", group: "y" });
    await settled(one);
    shard.d1.fate = isUp;
    await rings(2);
    expect(one.texts("mine")).toEqual(["a", "b"]);
  });

  test("that refuses one condition refuses no other", async () => {
    shard.write([post("a", "x")]);
    vi.spyOn(console, "error").mockImplementation(() => {});
    const [one, other] = [reader("u"), reader()];
    for (let group = 0; group < 12; group += 1) await shard.call("g:join", { user: "u", group: `g${group}` });
    shard.d1.refuse = (text) => text.includes("json_each") && text.includes("size");
    one.subscribe("mine");
    other.subscribe("all");
    await settled(one);
    await rings(1);
    expect(one.read().views.views.get("mine")?.error).toMatchObject({ code: "INTERNAL" });
    expect(other.texts("all")).toEqual(["a"]);
  });
});

describe("changes that were missed", () => {
  test.each([
    [
      "were forgotten by the database",
      () =>
        shard.d1.run([
          { text: "DELETE FROM __lunora_changes WHERE seq < (SELECT max(seq) FROM __lunora_changes)", bindings: [] },
        ]),
    ],
    [
      "are of a database of before",
      () =>
        shard.d1.run([
          { text: "DELETE FROM __lunora_changes", bindings: [] },
          { text: "DELETE FROM sqlite_sequence", bindings: [] },
        ]),
    ],
  ])("since they %s: every copy is compared, and every condition asked again", async (_, lose) => {
    shard.write([post("a", "x"), post("b", "x"), post("c", "y"), post("stays", "x")]);
    const one = reader();
    one.subscribe("inGroup", { group: "x" });
    await shard.settle();
    shard.write([
      post("a", "x", "changed"),
      { table: "posts", id: "b" },
      post("c", "x"),
      post("d", "x"),
      post("e", "y"),
    ]);
    lose();
    await rings(1);
    expect(one.texts("inGroup")).toEqual(["c", "changed", "d", "stays"]);
    expect(one.views.resets).toBe(1);
    shard.write([post("f", "x")]);
    await rings(1);
    expect(one.texts("inGroup")).toEqual(["c", "changed", "d", "f", "stays"]);
  });
});

describe("a live query that reads a global table", () => {
  const subscribe = (client: MemoryClient, since: object = {}): void =>
    client.send({ type: "subscribe", id: "q", query: { functionPath: "g:count", args: {}, ...since } });
  const last = (client: MemoryClient): Loose => client.frames.findLast((frame) => frame.id === "q");

  test("runs again when the table has changed, and says nothing when its result has not", async () => {
    const client = shard.connect("c");
    subscribe(client);
    await shard.settle();
    expect(last(client)).toMatchObject({ type: "data", data: 0 });
    shard.write([post("a", "x")]);
    await rings(1);
    expect(last(client)).toMatchObject({ type: "data", data: 1 });
    const { length } = client.frames;
    shard.write([post("a", "y")]);
    await rings(3);
    expect(client.frames).toHaveLength(length);
  });

  test("is never resumed by the log", async () => {
    const client = shard.connect("c");
    subscribe(client);
    await shard.settle();
    const { cursor, epoch, version } = last(client);
    shard.write([post("a", "x")]);
    const other = shard.connect("d");
    subscribe(other, { sinceSeq: cursor, sinceEpoch: epoch, sinceVersion: version });
    await shard.settle();
    expect(last(other)).toMatchObject({ type: "data" });
  });

  test("after sleep it runs at the next change", async () => {
    const client = shard.connect("c");
    subscribe(client);
    await shard.settle();
    await shard.sleep();
    await shard.settle();
    shard.write([post("a", "x")]);
    await rings(2);
    expect(last(client)).toMatchObject({ type: "data", data: 1 });
  });

  test("that failed for want of the database succeeds without a change once it is there again", async () => {
    shard.d1.fate = isDown;
    const client = shard.connect("c");
    subscribe(client);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(last(client)).toMatchObject({ type: "error", error: { code: "GLOBAL_UNAVAILABLE" } });
    await rings(2);
    shard.d1.fate = isUp;
    await rings(2);
    expect(last(client)).toMatchObject({ type: "data", data: 0 });
  });
});

describe("copies", () => {
  const note = (text: string): Loose => ({ table: "notes", id: "n", document: { text } });

  test("that nobody has come back for are kept true for as long as they are there", async () => {
    shard.write([note("before")]);
    const one = reader();
    one.subscribe("notes");
    await shard.settle();
    one.client.disconnect();
    await shard.settle();
    await shard.sleep();
    shard.write([note("after")]);
    reader().subscribe("all");
    await shard.settle();
    const other = reader();
    other.subscribe("notes");
    await shard.settle();
    expect(other.texts("notes")).toEqual(["after"]);
  });

  test("outlive a process that dies, though the alarm rings before anybody is back", async () => {
    shard.write([note("before")]);
    const one = reader();
    one.subscribe("notes");
    await shard.settle();
    one.client.disconnect();
    await shard.settle();
    await shard.sleep();
    shard.write([note("after")]);
    await shard.ring();
    const { answered } = shard.d1;
    const other = reader();
    other.subscribe("notes");
    await shard.settle();
    expect(other.texts("notes")).toEqual(["after"]);
    // The layout of a new isolate aside: how far the changes are, and the changes.
    expect(shard.d1.answered - answered).toBeLessThanOrEqual(3);
  });

  test("go in time when nobody comes back after sleep", async () => {
    shard.write([note("before")]);
    const one = reader();
    one.subscribe("notes");
    await shard.settle();
    one.client.disconnect();
    await shard.settle();
    await shard.sleep();
    const start = shard.now;
    while (shard.alarm !== null && shard.alarm < start + 3_600_000) await shard.ring();
    expect(shard.sqlite.exec("SELECT id FROM __global_notes").toArray()).toEqual([]);
    shard.write([note("after")]);
    const other = reader();
    other.subscribe("notes");
    await shard.settle();
    expect(other.texts("notes")).toEqual(["after"]);
  });

  test("of another schema are gone, and so are the positions that views resume by", async () => {
    shard.write([post("a", "x")]);
    const one = reader();
    one.subscribe("all");
    await shard.settle();
    const { epoch } = shard.engine.log;
    const { signature, ...rest } = JSON.parse(
      shard.sqlite.exec("SELECT value FROM __lunora_meta WHERE key = 'globals:mirror'").toArray()[0]?.[
        "value"
      ] as string,
    );
    expect(signature).toContain("posts");
    shard.sqlite.exec(
      "UPDATE __lunora_meta SET value = ? WHERE key = 'globals:mirror'",
      JSON.stringify({ signature: "another", ...rest }),
    );
    await shard.sleep();
    await settled(one);
    expect(shard.engine.log.epoch).not.toBe(epoch);
    expect(one.texts("all")).toEqual(["a"]);
  });

  test("of a time when the app had global tables are not taken up again", async () => {
    const app: { -readonly [Part in keyof LunoraDefinition]: LunoraDefinition[Part] } = { ...definition };
    const other = await GlobalShard.start(app);
    const client = other.connect("c");
    client.send({ type: "shape_subscribe", id: "all", shape: { name: "all" } });
    await other.settle();
    other.write([post("a", "x")]);
    await other.ring();
    client.disconnect();
    await other.settle();
    const { epoch } = other.engine.log;
    delete app.globals;
    await other.sleep();
    expect(other.engine.log.epoch).not.toBe(epoch);
    app.globals = globals;
    await other.sleep();
    other.write([{ table: "posts", id: "a" }, post("b", "x")]);
    const back = new Reader(other.connect("d"));
    back.subscribe("all");
    await other.settle();
    expect(back.texts("all")).toEqual(["b"]);
    other.stop();
  });

  test("leave a table of the shard alone that has the name", async () => {
    shard.sqlite.exec(
      "CREATE TABLE posts(id TEXT PRIMARY KEY NOT NULL, _creationTime REAL NOT NULL, doc TEXT NOT NULL, keys TEXT)",
    );
    shard.sqlite.exec("INSERT INTO posts VALUES('kept', 1, '{}', NULL)");
    const one = reader();
    one.subscribe("all");
    await shard.settle();
    expect(one.texts("all")).toEqual([]);
    one.client.disconnect();
    await rings(20);
    expect(shard.sqlite.exec("SELECT id FROM posts").toArray()).toEqual([{ id: "kept" }]);
  });
});
