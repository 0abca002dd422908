/* oxlint-disable vitest/expect-expect -- an error that `tsc` must find is an assertion too */
import type { Id, Infer, paginationOptsValidator } from "@lunora/values";
import { describe, expectTypeOf, it } from "vitest";

import type { MutationCtx, PaginationResult, QueryCtx } from "./index.ts";
import type { DataModel } from "./model.fixture.ts";

type Message = DataModel["messages"]["document"];
type Channel = DataModel["channels"]["document"];
declare const ctx: MutationCtx<DataModel>;
declare const reader: QueryCtx<DataModel>;
declare const messageId: Id<"messages">;
declare const channelId: Id<"channels">;
declare function anyOf<Item>(items: readonly Item[]): Item;

describe("reader", () => {
  it("gets by id, the table named or taken from the id", () => {
    expectTypeOf(reader.db.get(messageId)).resolves.toEqualTypeOf<Message | null>();
    expectTypeOf(reader.db.get("channels", channelId)).resolves.toEqualTypeOf<Channel | null>();
    expectTypeOf(reader.db.normalizeId("channels", "x")).toEqualTypeOf<Id<"channels"> | null>();
    // @ts-expect-error no such table
    reader.db.get("users", channelId);
    // @ts-expect-error an id of another table
    reader.db.get("channels", messageId);
    // @ts-expect-error a bare string is not an id
    reader.db.get("channels", "abc");
  });

  it("queries a table", () => {
    expectTypeOf(reader.db.query("messages").collect()).resolves.toEqualTypeOf<Message[]>();
    expectTypeOf(reader.db.query("messages").order("desc").take(5)).resolves.toEqualTypeOf<Message[]>();
    expectTypeOf(reader.db.query("messages").first()).resolves.toEqualTypeOf<Message | null>();
    expectTypeOf(reader.db.query("messages").unique()).resolves.toEqualTypeOf<Message | null>();
    expectTypeOf(reader.db.query("messages").paginate({ numItems: 2 })).resolves.toEqualTypeOf<
      PaginationResult<Message>
    >();
    expectTypeOf(
      reader.db.query("messages").paginate({} as Infer<typeof paginationOptsValidator>),
    ).resolves.toEqualTypeOf<PaginationResult<Message>>();
    reader.db
      .query("messages")
      .filter((message) => message.likes > 1)
      .order("asc");
    // @ts-expect-error no such table
    reader.db.query("users");
    // @ts-expect-error no such field
    reader.db.query("messages").filter((message) => message.text === "");
    // @ts-expect-error the direction is chosen once
    reader.db.query("messages").order("asc").order("desc");
  });

  it("knows indexes and their fields", () => {
    reader.db.query("messages").withIndex("by_author", (q) => q.eq("author", "ada"));
    reader.db
      .query("messages")
      .withIndex("by_author", (q) => q.eq("author", "ada").gt("_creationTime", 5).lte("_creationTime", 9));
    reader.db.query("messages").withIndex("by_author_likes", (q) => q.eq("author", "ada").gte("likes", 5));
    reader.db.query("messages").withIndex("by_author_likes");
    reader.db.query("channels").withIndex("by_creation", (q) => q.lt("_creationTime", 5));
    // @ts-expect-error no such index
    reader.db.query("messages").withIndex("by_name");
    // @ts-expect-error an index of another table
    reader.db.query("channels").withIndex("by_author");
    // @ts-expect-error fields in order
    reader.db.query("messages").withIndex("by_author_likes", (q) => q.eq("likes", 5));
    // @ts-expect-error not a field of the index
    reader.db.query("messages").withIndex("by_author", (q) => q.eq("body", "x"));
    // @ts-expect-error another type
    reader.db.query("messages").withIndex("by_author", (q) => q.eq("author", 5));
    // @ts-expect-error a range ends the chain
    reader.db.query("messages").withIndex("by_author_likes", (q) => q.gt("author", "a").eq("likes", 5));
    // @ts-expect-error two lower bounds
    reader.db.query("messages").withIndex("by_author", (q) => q.gt("author", "a").gte("author", "b"));
  });

  it("cannot write", () => {
    // @ts-expect-error a query reads
    reader.db.insert("channels", { name: "x" });
    // @ts-expect-error a query reads
    reader.db.channels.insert({ name: "x" });
  });
});

describe("accessors", () => {
  it("find rows", () => {
    expectTypeOf(reader.db.messages.findMany()).resolves.toEqualTypeOf<Message[]>();
    expectTypeOf(
      reader.db.messages.findMany({ where: { author: "ada", likes: { gt: 3, lte: 9 } }, limit: 5 }),
    ).resolves.toExtend<Message[]>();
    expectTypeOf(reader.db.messages.findFirst({ orderBy: { likes: "desc" } })).resolves.toExtend<Message | null>();
    expectTypeOf(reader.db.messages.findMany({ cursor: null, limit: 5 })).resolves.toExtend<
      PaginationResult<Message>
    >();
    expectTypeOf(reader.db.messages.count({ where: { author: { in: ["a", "b"] } } })).resolves.toEqualTypeOf<number>();
    expectTypeOf(reader.db.messages.exists()).resolves.toEqualTypeOf<boolean>();
    reader.db.messages.findMany({
      where: {
        OR: [{ body: { contains: "x" } }, { tags: { contains: "y" } }, { NOT: { editedAt: { isNull: true } } }],
        AND: [{ channelId }],
        editedAt: null,
      },
      orderBy: [{ likes: "desc" }, { _creationTime: "asc" }],
    });
    // @ts-expect-error no such field
    reader.db.messages.findMany({ where: { text: "x" } });
    // @ts-expect-error another type
    reader.db.messages.findMany({ where: { likes: "x" } });
    // @ts-expect-error no such operator
    reader.db.messages.findMany({ where: { likes: { above: 1 } } });
    // @ts-expect-error no such direction
    reader.db.messages.findMany({ orderBy: { likes: "down" } });
    // @ts-expect-error no such table
    reader.db.users.findMany();
  });

  it("load relations and select columns", async () => {
    const message = anyOf(await reader.db.messages.findMany({ with: { channel: true } }));
    expectTypeOf(message.channel).toEqualTypeOf<Channel | null>();
    expectTypeOf(message.body).toEqualTypeOf<string>();
    const channel = await reader.db.channels.findFirst({
      with: {
        messages: { select: { body: true }, where: { likes: { gt: 1 } }, limit: 3, with: { channel: true } },
      },
    });
    const selected = anyOf(channel?.messages ?? []);
    expectTypeOf(selected).toHaveProperty("_id").toEqualTypeOf<Id<"messages">>();
    expectTypeOf(selected.body).toEqualTypeOf<string>();
    expectTypeOf(selected.channel?.name).toEqualTypeOf<string | undefined>();
    // @ts-expect-error not selected
    void selected.author;
    const named = anyOf(await reader.db.channels.findMany({ select: { name: true } }));
    expectTypeOf(named).toExtend<{ readonly _id: Id<"channels">; name: string }>();
    // @ts-expect-error not selected
    void named.topic;
    // @ts-expect-error no such relation
    reader.db.messages.findMany({ with: { author: true } });
    // @ts-expect-error a column of another table
    reader.db.channels.findMany({ with: { messages: { where: { name: "x" } } } });
  });
});

describe("writer", () => {
  it("inserts", () => {
    expectTypeOf(ctx.db.insert("channels", { name: "x" })).resolves.toEqualTypeOf<Id<"channels">>();
    expectTypeOf(
      ctx.db.channels.insert({ name: "x" }, { skipDuplicates: true }),
    ).resolves.toEqualTypeOf<Id<"channels"> | null>();
    expectTypeOf(ctx.db.channels.insertMany([{ name: "x" }])).resolves.toEqualTypeOf<Id<"channels">[]>();
    // @ts-expect-error a required column
    ctx.db.insert("channels", {});
    // @ts-expect-error no such column
    ctx.db.insert("channels", { name: "x", color: "red" });
    // @ts-expect-error the store sets the id
    ctx.db.insert("channels", { name: "x", _id: channelId });
  });

  it("changes", () => {
    ctx.db.patch(channelId, { topic: null });
    ctx.db.patch("channels", channelId, { name: "y" });
    ctx.db.messages.patchWhere({ where: { author: "x" }, patch: { likes: 1 } });
    ctx.db.channels.upsert({ target: "name", create: { name: "x" }, update: { topic: "t" } });
    ctx.db.channels.replace(channelId, { name: "z" });
    ctx.db.delete(messageId);
    // @ts-expect-error a required column takes no null
    ctx.db.patch(channelId, { name: null });
    // @ts-expect-error no such column
    ctx.db.patch(channelId, { color: "red" });
    // @ts-expect-error the store's own
    ctx.db.patch(channelId, { _creationTime: 1 });
    // @ts-expect-error a column of another table
    ctx.db.patch(messageId, { name: "x" });
    // @ts-expect-error no such column
    ctx.db.channels.upsert({ target: "slug", create: { name: "x" }, update: {} });
  });

  it("restores where rows are marked", () => {
    ctx.db.messages.restore(messageId);
    ctx.db.messages.hardDelete(messageId);
    // @ts-expect-error rows of this table are removed
    ctx.db.channels.restore(channelId);
  });
});
