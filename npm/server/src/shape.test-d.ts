/* oxlint-disable vitest/expect-expect -- an error that `tsc` must find is an assertion too */
import type { ArgumentsOf, OptimisticDatabase, ResultOf, ShapeReference } from "@lunora/protocol";
import { describe, expectTypeOf, it } from "vitest";

import { defineMutator, defineShape, mutatorsOf, shapesOf, v } from "./index.ts";
import type {
  DatabaseReader,
  Id,
  MutationCtx,
  MutatorCtx,
  MutatorDatabase,
  ReferenceOf,
  RegisteredFunction,
  ShapeReferenceOf,
} from "./index.ts";
import type { DataModel } from "./model.fixture.ts";

const shape = shapesOf<DataModel>();
const mutator = mutatorsOf<DataModel>();
type Message = DataModel["messages"]["document"];

const inChannel = shape({
  table: "messages",
  args: { channelId: v.id("channels"), since: v.optional(v.number()) },
  where: (ctx, args) => {
    expectTypeOf(args).toEqualTypeOf<{ channelId: Id<"channels">; since?: number }>();
    expectTypeOf(ctx.db).toEqualTypeOf<DatabaseReader<DataModel>>();
    // @ts-expect-error the condition would not change when time passes
    void ctx.now;
    return { channelId: args.channelId, likes: { gte: args.since ?? 0 } };
  },
});

describe("a shape", () => {
  it("has the arguments and rows that a subscriber sees", () => {
    expectTypeOf<ShapeReferenceOf<typeof inChannel>>().toEqualTypeOf<
      ShapeReference<{ channelId: Id<"channels">; since?: number | undefined }, Message, "poke">
    >();
    expectTypeOf<ShapeReferenceOf<typeof inChannel, "poll">["refresh"]>().toEqualTypeOf<"poll">();
    expectTypeOf<ShapeReferenceOf<string>>().toEqualTypeOf<never>();
  });

  it("has the chosen columns, its id and its time", () => {
    const names = shape({ table: "messages", columns: ["author", "editedAt"] });
    expectTypeOf<ShapeReferenceOf<typeof names>>().toEqualTypeOf<
      ShapeReference<{}, Pick<Message, "_id" | "_creationTime" | "author" | "editedAt">, "poke">
    >();
    // @ts-expect-error no such column
    shape({ table: "messages", columns: ["nobody"] });
    // @ts-expect-error always among them
    shape({ table: "messages", columns: ["_id"] });
  });

  it("has a condition over its own table", () => {
    shape({ table: "channels", where: async (ctx) => ({ name: (await ctx.auth.getIdentity())?.userId ?? "" }) });
    shape({
      table: "channels",
      where: () => ({ OR: [{ name: { in: ["a"] } }, { NOT: { topic: { isNull: true } } }] }),
    });
    // @ts-expect-error no such table
    shape({ table: "nothing" });
    // @ts-expect-error a column of another table
    shape({ table: "channels", where: () => ({ author: "x" }) });
    // @ts-expect-error another type
    shape({ table: "channels", where: () => ({ name: 1 }) });
    // @ts-expect-error nothing is written from a condition
    shape({ table: "channels", where: (ctx) => ({ name: ctx.db.insert("channels", { name: "x" }) }) });
    defineShape({ table: "anything", args: { y: v.any() }, where: (ctx, args) => ({ x: args.y, z: ctx.auth.userId }) });
  });
});

describe("a mutator", () => {
  const args = { id: v.id("messages"), body: v.string() };

  it("is a mutation with the result of the server's side", () => {
    const rename = mutator({
      args,
      apply: async (ctx, { id, body }) => {
        expectTypeOf(ctx).toEqualTypeOf<MutatorCtx<DataModel>>();
        await ctx.db.patch("messages", id, { body });
      },
      server: async (ctx, { id, body }) => {
        expectTypeOf(ctx).toEqualTypeOf<MutationCtx<DataModel>>();
        await ctx.db.messages.patch(id, { body });
        return 1n;
      },
    });
    expectTypeOf<ReferenceOf<typeof rename>["kind"]>().toEqualTypeOf<"mutation">();
    expectTypeOf<ArgumentsOf<ReferenceOf<typeof rename>>>().toEqualTypeOf<{ id: Id<"messages">; body: string }>();
    expectTypeOf<ResultOf<ReferenceOf<typeof rename>>>().toEqualTypeOf<bigint>();
    expectTypeOf(rename).toExtend<RegisteredFunction<"mutation">>();
  });

  it("runs what the client runs when it says nothing else", () => {
    const add = mutator({
      args: { name: v.string() },
      apply: (ctx, { name }) => ctx.db.insert("channels", { name }),
    });
    expectTypeOf<ResultOf<ReferenceOf<typeof add>>>().toEqualTypeOf<Id<"channels">>();
    expectTypeOf<MutationCtx<DataModel>>().toExtend<MutatorCtx<DataModel>>();
  });

  it("does in advance only what a client can do", () => {
    mutator({
      args,
      apply: async (ctx, { id }) => {
        expectTypeOf(await ctx.db.get("messages", id)).toEqualTypeOf<Message | null>();
        await ctx.db.delete("messages", id);
        // @ts-expect-error a row of another table
        await ctx.db.delete("channels", id);
        // @ts-expect-error no such column
        await ctx.db.patch("messages", id, { nothing: 1 });
        // @ts-expect-error a client has no indexes
        void ctx.db.query("messages");
        // @ts-expect-error nor an identity
        void ctx.auth;
      },
    });
    // @ts-expect-error what the client shows
    mutator({ args, server: () => 1 });
    defineMutator({ args, apply: (ctx, { id }) => ctx.db.delete("messages", id) });
  });

  it("has a database that the client's is, without its types", () => {
    const database = null as unknown as OptimisticDatabase;
    const typed: MutatorDatabase<DataModel> = database as unknown as MutatorDatabase<DataModel>;
    expectTypeOf<keyof typeof typed>().toEqualTypeOf<keyof OptimisticDatabase>();
  });
});
