import { describe, expect, it } from "vitest";

import { defineSchema, defineSchemaExtension, defineTable, v } from "./index.ts";

const handler = (): void => {};

const invalid = (part: string): unknown =>
  expect.objectContaining({ code: "SCHEMA_INVALID", message: expect.stringContaining(part) });

describe("defineTable", () => {
  it("keeps what was declared as data", () => {
    const columns = {
      channelId: v.id("channels"),
      author: v.string().unique(),
      at: v.timestamp(),
      deletedAt: v.optional(v.timestamp()),
    };
    const { definition } = defineTable(columns)
      .index("by_at", ["at", "_creationTime"], { unique: true })
      .index("by_author_at", ["author", "at"])
      .relations((r) => ({
        channel: r.one("channels", { field: "channelId", onDelete: "cascade" }),
        replies: r.many("messages", { field: "parentId", references: "_id" }),
      }))
      .triggers((t) => ({ a: t.beforeInsert(handler), b: t.afterDelete(handler) }))
      .shardBy("channelId")
      .softDelete()
      .ttl("at", { after: 5 })
      .public();
    expect(definition).toEqual({
      columns,
      shardMode: { kind: "shardBy", field: "channelId" },
      indexes: [
        { name: "unique_author", fields: ["author"], unique: true },
        { name: "by_at", fields: ["at", "_creationTime"], unique: true },
        { name: "by_author_at", fields: ["author", "at"], unique: false },
      ],
      relations: {
        channel: { kind: "one", table: "channels", field: "channelId", references: "_id", onDelete: "cascade" },
        replies: { kind: "many", table: "messages", field: "parentId", references: "_id" },
      },
      triggers: {
        a: { timing: "before", event: "insert", handler },
        b: { timing: "after", event: "delete", handler },
      },
      softDelete: { field: "deletedAt" },
      timeToLive: { field: "at", after: 5 },
      isPublic: true,
    });
  });

  it("is immutable", () => {
    const table = defineTable({ a: v.string() });
    table.index("by_a", ["a"]);
    table.global();
    expect(table.definition.indexes).toEqual([]);
    expect(table.definition.shardMode).toEqual({ kind: "root" });
  });

  const table = defineTable({ a: v.string(), b: v.optional(v.string()), o: v.object({}), n: v.string().nullable() });
  it.each<[string, () => unknown, string]>([
    ["a column of the store", () => defineTable({ _id: v.string() }), "`_id` cannot be"],
    ["a column that no index can name", () => defineTable({ "a.b": v.string() }), "`a.b` cannot be"],
    [
      "a column by the name of a member of every object",
      () => defineTable({ constructor: v.string() }),
      "`constructor` cannot be",
    ],
    ["an index over a missing column", () => table.index("i", ["z" as never]), "`z`, which is not a column"],
    ["an index over an inherited name", () => table.index("i", ["toString" as never]), "`toString`, which is not"],
    ["an index without fields", () => table.index("i", []), "has no fields"],
    ["an index with a field twice", () => table.index("i", ["a", "a"]), "twice"],
    ["an index by a taken name", () => table.index("i", ["a"]).index("i", ["b"]), "two indexes named `i`"],
    ["an index by the implicit name", () => table.index("by_creation", ["a"]), "always there"],
    ["an index by no name", () => table.index("1", ["a"]), "`1` cannot be"],
    ["sharding by a missing column", () => table.shardBy("z" as never), "not a column"],
    ["sharding by an optional column", () => table.shardBy("b" as never), "always there"],
    ["sharding by a nullable column", () => table.shardBy("n" as never), "always there"],
    ["sharding by an object", () => table.shardBy("o" as never), "one text form"],
    [
      "sharding by a union that may be null",
      () => defineTable({ u: v.union(v.string(), v.null()) }).shardBy("u" as never),
      "one text form",
    ],
    ["two tiers", () => table.shardBy("a").global(), "both `.shardBy()` and `.global()`"],
    ["two tiers the other way", () => table.colocated().shardBy("a"), "both"],
    ["expiry by a text", () => table.ttl("a" as never), "needs a time"],
    ["expiry before the time", () => table.ttl("_creationTime", { after: -1 }), "`-1`"],
    ["a mark without a column", () => table.softDelete(), "`deletedAt`, which is not a column"],
    [
      "a mark in a required column",
      () => defineTable({ at: v.number() }).softDelete({ field: "at" }),
      "leaves `at` empty",
    ],
    ["a mark in a text", () => table.softDelete({ field: "a" as never }), "needs a time"],
    [
      "a relation by a missing column",
      () => table.relations((r) => ({ x: r.one("t", { field: "z" as never }) })),
      "not a column",
    ],
    [
      "a relation by the name of a column",
      () => table.relations((r) => ({ a: r.one("t", { field: "a" }) })),
      "name of a column",
    ],
    [
      "null into a column that takes none",
      () => table.relations((r) => ({ x: r.one("t", { field: "a", onDelete: "set null" }) })),
      "takes no null",
    ],
  ])("refuses %s", (_, declare, message) => {
    expect(declare).toThrow(invalid(message));
  });

  it("shards by any type with one text form for each value", () => {
    const kinds = {
      s: v.string(),
      i: v.id("t"),
      n: v.number(),
      b: v.bigint(),
      l: v.literal("x"),
      u: v.union(v.literal("a"), v.literal("b")),
    };
    for (const field of Object.keys(kinds) as (keyof typeof kinds)[]) {
      expect(defineTable(kinds).shardBy(field).definition.shardMode).toEqual({ kind: "shardBy", field });
    }
  });

  it("sets an optional or nullable column to null", () => {
    expect(() => table.relations((r) => ({ x: r.one("t", { field: "b", onDelete: "set null" }) }))).not.toThrow();
    expect(() => table.relations((r) => ({ x: r.one("t", { field: "n", onDelete: "set null" }) }))).not.toThrow();
  });
});

describe("defineSchema", () => {
  const users = defineTable({ name: v.string() });
  const posts = defineTable({ userId: v.id("users") }).relations((r) => ({
    user: r.one("users", { field: "userId" }),
  }));

  it("holds the tables as data and takes modifiers in any order", () => {
    const plain = defineSchema({ users, posts });
    expect(plain.tables).toEqual({ users: users.definition, posts: posts.definition });
    expect(plain).not.toHaveProperty("pinnedJurisdiction");
    const one = plain.rls("required").jurisdiction("eu");
    const other = plain.jurisdiction("eu").rls("required");
    expect(one).toEqual(other);
    expect(one).toMatchObject({ pinnedJurisdiction: "eu", rowLevelSecurity: "required" });
  });

  it("prefixes the tables of an extension, also where its relations point", () => {
    const schema = defineSchema({ users })
      .jurisdiction("us")
      .extend(
        defineSchemaExtension("blog", {
          tables: { posts: posts.relations((r) => ({ next: r.one("posts", { field: "userId" }) })) },
        }),
      );
    expect(Object.keys(schema.tables)).toEqual(["users", "blog_posts"]);
    expect(schema.tables["blog_posts"]?.relations).toMatchObject({
      user: { table: "users" },
      next: { table: "blog_posts" },
    });
    expect(schema.pinnedJurisdiction).toBe("us");
  });

  it.each<[string, () => unknown, string]>([
    ["a relation to a missing table", () => defineSchema({ posts }), "points at `users`"],
    [
      "a relation over a missing column of the other table",
      () => defineSchema({ users: users.relations((r) => ({ posts: r.many("posts", { field: "authorId" }) })), posts }),
      "`authorId`, which is not a column of `posts`",
    ],
    ["a table by no name", () => defineSchema({ __proto: users }), "`__proto` cannot be"],
    ["an unknown jurisdiction", () => defineSchema({ users }).jurisdiction("mars" as never), "`mars`"],
    ["an unknown mode", () => defineSchema({ users }).rls("optional" as never), "optional"],
    [
      "an extension twice",
      () => {
        const extension = defineSchemaExtension("x", { tables: { t: users } });
        return defineSchema({ users }).extend(extension).extend(extension);
      },
      "`x_t`, which is there already",
    ],
  ])("refuses %s", (_, declare, message) => {
    expect(declare).toThrow(invalid(message));
  });
});
