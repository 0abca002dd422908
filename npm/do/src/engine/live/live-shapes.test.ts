import { defineSchema, defineShape, defineTable, rls, v } from "@lunora/server";
import type { LunoraDefinition, RegisteredShape } from "@lunora/server";
import { afterEach, describe, expect, it } from "vitest";

import type { Loose } from "../../../testing/loose.ts";
import { SimulatedShard } from "../../../testing/simulated-shard.ts";
import type { SimulatedConnection } from "../../../testing/simulated-shard.ts";

const schema = defineSchema({
  messages: defineTable({
    room: v.string(),
    body: v.string(),
    likes: v.optional(v.number()),
    secret: v.optional(v.string()),
    deletedAt: v.optional(v.number()),
  }).softDelete(),
  members: defineTable({ user: v.string(), room: v.string() }).index("by_user", ["user"]),
  letters: defineTable({ city: v.string(), text: v.string() }).shardBy("city"),
  posts: defineTable({ street: v.string() }).shardBy("street"),
  everywhere: defineTable({ name: v.string() }).global(),
});

const memberRooms = async ({ db }: Loose, userId: string | null): Promise<string[]> =>
  (await db.members.findMany({ where: { user: userId } })).map((row: Loose) => row.room);

const policy = {
  table: "messages",
  on: "read" as const,
  when: ({ auth }: Loose) => ({ secret: { in: [null, auth.userId] } }),
};

const shapes: Record<string, RegisteredShape> = {
  inRoom: defineShape({ table: "messages", args: { room: v.string() }, where: (_ctx, { room }) => ({ room }) }),
  all: defineShape({ table: "messages" }),
  liked: defineShape({ table: "messages", where: () => ({ likes: { gt: 2 } }) }),
  bodies: defineShape({ table: "messages", columns: ["body"] }),
  mine: defineShape({
    table: "messages",
    where: async (ctx) => ({ room: { in: await memberRooms(ctx, ctx.auth.userId) } }),
  }),
  guarded: defineShape({ table: "messages", use: [rls([policy])] }),
  guardedRoom: defineShape({
    table: "messages",
    args: { room: v.string() },
    where: (_ctx, { room }) => ({ room }),
    use: [rls([policy])],
  }),
  hidden: defineShape({ table: "messages", use: [rls([{ ...policy, when: () => false }])] }),
  own: defineShape({ table: "messages", where: ({ auth }) => ({ secret: auth.userId }) }),
  ownByPolicy: defineShape({
    table: "messages",
    use: [rls([{ ...policy, when: ({ auth }: Loose) => ({ secret: { eq: auth.userId } }) }])],
  }),
  hole: defineShape({
    table: "messages",
    args: { room: v.optional(v.string()) },
    where: (_ctx, { room }) => ({ room }),
  }),
  nothing: defineShape({ table: "messages", where: () => undefined as Loose }),
  unknownColumn: defineShape({ table: "messages", where: () => ({ nope: 1 }) }),
  badColumns: defineShape({ table: "messages", columns: ["nope"] }),
  middleware: defineShape({ table: "messages", use: [async ({ next }: Loose) => next()] }),
  elsewhere: defineShape({ table: "letters" }),
  joined: defineShape({
    table: "messages",
    where: async (ctx: Loose) => ({ room: { in: (await ctx.db.letters.findMany()).map((row: Loose) => row.city) } }),
  }),
  global: defineShape({ table: "everywhere" }),
  inCity: defineShape({ table: "letters", args: { city: v.string() }, where: (_ctx, { city }) => ({ city }) }),
  cityAndStreet: defineShape({
    table: "letters",
    args: { city: v.string() },
    where: async (ctx: Loose) => ({ text: { in: (await ctx.db.posts.findMany()).map((row: Loose) => row.street) } }),
  }),
  hangs: defineShape({ table: "messages", where: () => new Promise<Loose>(() => {}) }),
  throws: defineShape({
    table: "messages",
    where: async (ctx: Loose) => {
      if ((await ctx.db.members.count()) > 0) throw new Error("a secret of the server");
      return {};
    },
  }),
};

const inCity = { kind: "argument", argument: "city", field: "city" } as const;
const addresses: Record<string, Loose> = { inCity, cityAndStreet: inCity };

function definitionOf(tables: typeof schema): LunoraDefinition {
  return {
    schema: tables,
    functions: {},
    shapes: Object.fromEntries(
      Object.entries(shapes).map(([name, { table }]) => [
        name,
        { table, address: addresses[name] ?? { kind: "root" }, module: async () => shapes, exportName: name },
      ]),
    ),
    app: {},
  };
}

let shard: SimulatedShard;
afterEach(() => shard.stop());

function open(name?: string, tables = schema): SimulatedShard {
  shard = new SimulatedShard(definitionOf(tables), name);
  return shard;
}

/** The one frame that a refused subscription gets. */
async function refusal(name: string, args: Loose = {}, connection = shard.connect()): Promise<Loose> {
  await shard.subscribe(connection, { id: "s", shape: { name, args } });
  const frames = connection.take();
  expect(frames).toHaveLength(1);
  expect(frames[0]).toMatchObject({ type: "error", id: "s" });
  expect(shard.shapes.size).toEqual({ groups: 0, memberships: 0 });
  return frames[0].error;
}

async function subscribe(name: string, args: Loose = {}, userId: string | null = null): Promise<SimulatedConnection> {
  const connection = shard.connect(userId === null ? null : { userId }, "client");
  await shard.subscribe(connection, { id: "s", shape: { name, args } });
  return connection;
}

/** The operations of a poke, short. */
function operations(frames: Loose[]): string[] {
  return frames.flatMap((frame) =>
    (frame.rowsPatch ?? []).map(({ op, key, value }: Loose) => `${op} ${value?.body ?? key}`),
  );
}

const message = (body: string, more: object = {}): object => ({ room: "a", body, ...more });

async function insert(...documents: object[]): Promise<string[]> {
  let ids: string[] = [];
  await shard.mutate(async (db) => {
    ids = await Promise.all(documents.map((document) => db.messages.insert(document)));
  });
  return ids;
}

describe("what can be no subscription", () => {
  it.each([
    ["no such shape", "missing", {}, "SHAPE_NOT_FOUND"],
    ["a name that every object has", "constructor", {}, "SHAPE_NOT_FOUND"],
    ["missing arguments", "inRoom", {}, "VALIDATION_ERROR"],
    ["arguments of another type", "inRoom", { room: 1 }, "VALIDATION_ERROR"],
    ["arguments that are no object", "inRoom", "room", "VALIDATION_ERROR"],
    ["a condition that says nothing", "nothing", {}, "SHAPE_INVALID"],
    ["a condition with a hole", "hole", {}, "SHAPE_INVALID"],
    ["a condition over no column", "unknownColumn", {}, "BAD_REQUEST"],
    ["columns that are none", "badColumns", {}, "SCHEMA_INVALID"],
    ["middleware that would guard nothing", "middleware", {}, "SCHEMA_INVALID"],
    ["a table of other shards", "elsewhere", {}, "SHARD_MISMATCH"],
    ["a condition over other shards", "joined", {}, "SHAPE_JOINS_SHARDS"],
    ["a table that is global", "global", {}, "NOT_IMPLEMENTED"],
    ["another shard", "inCity", { city: "Rome" }, "SHARD_MISMATCH"],
  ])("%s", async (_what, name, args, code) => {
    open();
    expect((await refusal(name, args)).code).toBe(code);
  });

  it("a condition that joins two kinds of shards", async () => {
    open("city=Rome");
    await expect(refusal("cityAndStreet", { city: "Rome" })).resolves.toMatchObject({
      code: "SHAPE_JOINS_SHARDS",
      data: { shape: "cityAndStreet", tables: ["letters", "posts"] },
    });
    expect((await refusal("inCity", { city: "Oslo" })).code).toBe("SHARD_MISMATCH");
    const connection = shard.connect();
    await shard.subscribe(connection, { id: "s", shape: { name: "inCity", args: { city: "Rome" } } });
    expect(connection.take()).toHaveLength(3);
  });

  it("a shape without a policy where they are required", async () => {
    open("__root__", schema.rls("required") as typeof schema);
    expect((await refusal("all")).code).toBe("RLS_REQUIRED");
    const connection = await subscribe("guarded");
    expect(connection.take()).toHaveLength(3);
  });

  it("a shape that the app's rule refuses", async () => {
    open().refuse("shapes:all");
    expect((await refusal("all")).code).toBe("FORBIDDEN_SHARD");
  });

  it("a condition that does not settle", async () => {
    shard = new SimulatedShard(definitionOf(schema), "__root__", 10);
    expect((await refusal("hangs")).code).toBe("QUERY_TIMEOUT");
  });

  it("keeps what the server threw to itself", async () => {
    open();
    await shard.mutate((db) => db.members.insert({ user: "u", room: "a" }));
    const error = await refusal("throws");
    expect(error.code).toBe("INTERNAL");
    expect(JSON.stringify(error)).not.toContain("secret");
  });
});

describe("a subscription", () => {
  it("is seeded, and then poked with what changes in it", async () => {
    open();
    const [one] = await insert(message("one"), message("other", { room: "b" }));
    const connection = await subscribe("inRoom", { room: "a" });
    const [start, part, end] = connection.take();
    expect(start).toEqual({ type: "pokeStart", pokeId: "1", epoch: shard.log.epoch });
    expect(part).toMatchObject({
      type: "pokePart",
      pokeId: "1",
      shapeId: "s",
      reset: true,
      version: expect.any(String),
    });
    expect(part.rowsPatch).toEqual([
      {
        op: "insert",
        key: one,
        table: "messages",
        value: { _id: one, _creationTime: expect.any(Number), room: "a", body: "one" },
      },
    ]);
    expect(end).toEqual({ type: "pokeEnd", pokeId: "1", checkpoint: 2, epoch: shard.log.epoch });

    await shard.mutate(async (db) => {
      await db.messages.patch(one, { body: "changed" });
      await db.messages.insert(message("two"));
      await db.messages.insert(message("elsewhere", { room: "b" }));
    });
    const poke = connection.take();
    expect(operations(poke)).toEqual(["update changed", "insert two"]);
    expect(poke[1]).toMatchObject({ baseCheckpoint: 2 });
    expect(poke[1]).not.toHaveProperty("reset");
    expect(poke[2]).toMatchObject({ type: "pokeEnd", checkpoint: 5 });

    await shard.mutate((db) => db.messages.patch(one, { room: "b" }));
    const gone = connection.take();
    expect(gone[1]).toMatchObject({ baseCheckpoint: 5, rowsPatch: [{ op: "delete", key: one, table: "messages" }] });
    expect(gone[1].rowsPatch[0]).not.toHaveProperty("value");
  });

  it("is told nothing of rows that it never had", async () => {
    open();
    const [other] = await insert(message("x", { room: "b" }));
    const connection = await subscribe("inRoom", { room: "a" });
    connection.take();
    await shard.mutate((db) => db.messages.patch(other, { body: "y" }));
    await shard.mutate((db) => db.messages.hardDelete(other));
    await shard.mutate((db) => db.members.insert({ user: "u", room: "a" }));
    expect(connection.take()).toEqual([]);
  });

  it("hears of a row once a flush, however often it changed", async () => {
    open();
    const connection = await subscribe("all");
    connection.take();
    let id = "";
    await shard.group([
      async (db) => {
        id = await db.messages.insert(message("a"));
        const gone = await db.messages.insert(message("gone"));
        await db.messages.hardDelete(gone);
      },
      (db) => db.messages.patch(id, { body: "b" }),
      (db) => db.messages.patch(id, { body: "c" }),
    ]);
    expect(operations(connection.take())).toEqual(["insert c"]);
    await shard.group([(db) => db.messages.patch(id, { body: "d" }), (db) => db.messages.patch(id, { body: "c" })]);
    expect(connection.take()).toEqual([]);
  });

  it("loses rows that are marked as deleted, and gets them back", async () => {
    open();
    const [id] = await insert(message("a"));
    const connection = await subscribe("all");
    connection.take();
    await shard.mutate((db) => db.messages.delete(id));
    expect(operations(connection.take())).toEqual([`delete ${id}`]);
    await shard.mutate((db) => db.messages.restore(id));
    expect(operations(connection.take())).toEqual(["insert a"]);
  });

  it("has its columns only, and hears of no others", async () => {
    open();
    const [id] = await insert(message("a", { secret: "s" }));
    const connection = await subscribe("bodies");
    expect(connection.take()[1].rowsPatch[0].value).toEqual({ _id: id, _creationTime: expect.any(Number), body: "a" });
    await shard.mutate((db) => db.messages.patch(id, { secret: "other", likes: 3 }));
    expect(connection.take()).toEqual([]);
    await shard.mutate((db) => db.messages.patch(id, { body: "b" }));
    expect(operations(connection.take())).toEqual(["update b"]);
  });

  it("is one of many on a socket, and all agree at each end of a poke", async () => {
    open();
    const connection = shard.connect();
    for (const [id, name] of [
      ["1", "all"],
      ["2", "liked"],
      ["3", "bodies"],
    ] as const)
      await shard.subscribe(connection, { id, shape: { name } });
    connection.take();
    await insert(message("a", { likes: 5 }));
    const poke = connection.take();
    expect(poke.map(({ type }) => type)).toEqual(["pokeStart", "pokePart", "pokePart", "pokePart", "pokeEnd"]);
    expect(
      poke
        .slice(1, 4)
        .map(({ shapeId }) => shapeId)
        .sort(),
    ).toEqual(["1", "2", "3"]);
    shard.shapes.unsubscribe(connection, "1");
    await shard.subscribe(connection, { id: "2", shape: { name: "bodies" } });
    connection.take();
    await insert(message("b", { likes: 5 }));
    expect(connection.take()).toHaveLength(4);
    shard.close(connection);
    expect(shard.shapes.size).toEqual({ groups: 0, memberships: 0 });
    await insert(message("c"));
    expect(connection.take()).toEqual([]);
  });

  it("carries the sequence of the client that pushed, and of nobody else", async () => {
    open();
    const [mine, other] = [shard.connect({ userId: "u" }, "client"), shard.connect({ userId: "other" }, "client")];
    for (const connection of [mine, other]) {
      await shard.subscribe(connection, { id: "s", shape: { name: "all" } });
      connection.take();
    }
    await shard.mutate((db) => db.messages.insert(message("a")), { connection: mine, seq: 7 });
    expect(mine.take()[1]).toMatchObject({ lastMutationId: 7 });
    expect(other.take()[1]).not.toHaveProperty("lastMutationId");
    await shard.subscribe(mine, { id: "t", shape: { name: "all" } });
    expect(mine.take()[1]).toMatchObject({ lastMutationId: 7, reset: true });
  });

  it("is answered once in parts that each fit a frame", async () => {
    open();
    const body = "\u{1f600}".repeat(30_000);
    await insert(...Array.from({ length: 40 }, (_, index) => message(`${index}${body}`)));
    const connection = await subscribe("all");
    const texts = connection.takeTexts();
    const frames = texts.map((text) => JSON.parse(text));
    expect(texts.length).toBeGreaterThan(5);
    for (const text of texts) expect(new TextEncoder().encode(text).length).toBeLessThanOrEqual(1_048_576);
    expect(new Set(frames.flatMap((frame) => (frame.rowsPatch ?? []).map(({ key }: Loose) => key))).size).toBe(40);
    expect(frames.map(({ reset }) => reset)).toEqual([undefined, true, ...frames.slice(2).map(() => undefined)]);
  });
});

describe("a condition", () => {
  it("is made again when rows it was made from change, and the view moves with it", async () => {
    open();
    const [a, b] = await insert(message("a"), message("b", { room: "b" }));
    const connection = await subscribe("mine", {}, "u");
    expect(operations(connection.take())).toEqual([]);
    let membership = "";
    await shard.mutate(async (db) => {
      membership = await db.members.insert({ user: "u", room: "a" });
    });
    const joined = connection.take();
    expect(operations(joined)).toEqual(["insert a"]);
    expect(joined[1].version).toEqual(expect.any(String));
    // The condition and a row of it, and one that was in neither, change in one flush.
    await shard.mutate(async (db) => {
      await db.members.patch(membership, { room: "b" });
      await db.messages.patch(a, { likes: 1 });
      await db.messages.patch(b, { likes: 1 });
      await db.messages.insert(message("c"));
    });
    expect(operations(connection.take()).sort()).toEqual([`delete ${a}`, "insert b"]);
    await shard.mutate((db) => db.members.insert({ user: "somebody else", room: "a" }));
    expect(connection.take()).toEqual([]);
  });

  it("is one for all callers unless it looks at who calls", async () => {
    open();
    for (const user of ["u", "v", "w"]) await subscribe("inRoom", { room: "a" }, user);
    expect(shard.shapes.size).toEqual({ groups: 1, memberships: 1 });
    for (const user of ["u", "v", "w"]) await subscribe("mine", {}, user);
    // Three callers, whose conditions are equal: nobody is a member of any room.
    expect(shard.shapes.size).toEqual({ groups: 4, memberships: 2 });
    await shard.mutate((db) => db.members.insert({ user: "v", room: "a" }));
    expect(shard.shapes.size).toEqual({ groups: 4, memberships: 3 });
  });

  it("has the policies of the caller", async () => {
    open();
    const connections = await Promise.all(["u", "v"].map((user) => subscribe("guarded", {}, user)));
    for (const connection of connections) connection.take();
    const [id] = await insert(message("for u", { secret: "u" }));
    expect(connections.map((connection) => operations(connection.take()))).toEqual([["insert for u"], []]);
    await shard.mutate((db) => db.messages.patch(id, { secret: "v" }));
    expect(connections.map((connection) => operations(connection.take()))).toEqual([
      [`delete ${id}`],
      ["insert for u"],
    ]);
    const hidden = await subscribe("hidden");
    expect(operations(hidden.take())).toEqual([]);
    await insert(message("x"));
    expect(hidden.take()).toEqual([]);
  });

  it.each(["own", "ownByPolicy"])("gives nobody no rows that are nobody's: %s", async (name) => {
    open();
    await insert(message("nobody's"), message("u's", { secret: "u" }));
    const [nobody, somebody] = [await subscribe(name), await subscribe(name, {}, "u")];
    expect([operations(nobody.take()), operations(somebody.take())]).toEqual([[], ["insert u's"]]);
    const [id] = await insert(message("nobody's too"));
    await shard.mutate((db) => db.messages.patch(id, { secret: "u" }));
    expect([operations(nobody.take()), operations(somebody.take())]).toEqual([[], ["insert nobody's too"]]);
    await shard.mutate((db) => db.messages.patch(id, { secret: null }));
    expect(operations(nobody.take())).toEqual([]);
  });

  it("that fails later ends its subscription alone", async () => {
    open();
    const [failing, other] = [await subscribe("throws"), await subscribe("all")];
    for (const connection of [failing, other]) connection.take();
    await shard.mutate(async (db) => {
      await db.members.insert({ user: "u", room: "a" });
      await db.messages.insert(message("a"));
    });
    expect(failing.take()).toEqual([expect.objectContaining({ type: "error", id: "s" })]);
    expect(operations(other.take())).toEqual(["insert a"]);
    expect(shard.shapes.size).toEqual({ groups: 1, memberships: 1 });
  });
});

describe("one statement", () => {
  const rooms = Array.from({ length: 50 }, (_, index) => `room ${index}`);
  const rows = (count: number, room: string): object[] =>
    Array.from({ length: count }, (_, index) => message(`${index}`, { room }));

  /** Statements of a mutation beyond those of the write itself. */
  async function statementsFor(count: number): Promise<number> {
    let written = 0;
    const before = shard.sqlite.count;
    await shard.mutate(async (db) => {
      await db.messages.insertMany(rows(count, "room 7"));
      written = shard.sqlite.count;
    });
    const ofTheLog = count > 4 ? Math.ceil(count / 500) : count;
    return shard.sqlite.count - Math.max(written, before) - ofTheLog;
  }

  it("is asked for a membership that a change can matter to, however many have it and how much changed", async () => {
    open();
    for (const room of rooms) for (const user of ["u", "v", "w", "x"]) await subscribe("inRoom", { room }, user);
    expect(await statementsFor(1)).toBe(1);
    expect(await statementsFor(900)).toBe(1);
    expect(await statementsFor(1_001)).toBe(2);
    await subscribe("liked");
    expect(await statementsFor(1)).toBe(1);
  });

  it("is asked no more often for a thousand callers with policies of their own than for the twenty of the shape", async () => {
    const counts: number[] = [];
    for (const all of [["room 7"], rooms]) {
      open();
      for (const room of all) {
        for (let user = 0; user < 20; user += 1) await subscribe("guardedRoom", { room }, `${room} ${user}`);
      }
      expect(shard.shapes.size).toEqual({ groups: all.length * 20, memberships: all.length * 20 });
      counts.push(await statementsFor(1));
      if (all !== rooms) shard.stop();
    }
    expect(counts).toEqual([20, 20]);
  });
});
