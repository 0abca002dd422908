/* oxlint-disable vitest/expect-expect -- an error that `tsc` must find is an assertion too */
import { functionReference } from "@lunora/protocol";
import type { ArgumentsOf, FanOutResult, FunctionReference, ResultOf } from "@lunora/protocol";
import { describe, expectTypeOf, it } from "vitest";

import { defineTable, initLunora, v } from "./index.ts";
import type {
  ActionCtx,
  Auth,
  FanOutReferenceOf,
  FunctionRegistry,
  Id,
  Middleware,
  MutationCtx,
  QueryCtx,
  ReferenceOf,
} from "./index.ts";
import type { DataModel } from "./model.fixture.ts";

const { query, mutation, action, internalQuery, internalMutation } = initLunora.dataModel<DataModel>().create();

const list = query
  .input({ channelId: v.id("channels"), limit: v.number().default(20), before: v.optional(v.number()) })
  .query(async ({ ctx, args }) => {
    expectTypeOf(args).toEqualTypeOf<{ channelId: Id<"channels">; limit: number; before?: number }>();
    expectTypeOf(ctx).toEqualTypeOf<QueryCtx<DataModel>>();
    return ctx.db.query("messages").take(args.limit);
  });
const send = mutation.input({ body: v.string() }).mutation(async ({ ctx }) => {
  expectTypeOf(ctx).toEqualTypeOf<MutationCtx<DataModel>>();
  return ctx.now;
});
const ping = action.action(({ ctx }) => {
  expectTypeOf(ctx).toEqualTypeOf<ActionCtx<DataModel>>();
});
const secret = internalQuery.query(() => 1n);

const signedIn: Middleware<{ readonly auth: Auth }, { readonly userId: string }> = async ({ ctx, next }) => {
  if (ctx.auth.userId === null) throw new Error("nobody");
  return next({ ctx: { userId: ctx.auth.userId } });
};
const needsDb: Middleware<MutationCtx<DataModel>> = ({ next }) => next();

describe("references", () => {
  it("carry the arguments and the result of the function", () => {
    type List = ReferenceOf<typeof list>;
    expectTypeOf<ArgumentsOf<List>>().toEqualTypeOf<{
      channelId: Id<"channels">;
      limit?: number | undefined;
      before?: number | undefined;
    }>();
    expectTypeOf<ResultOf<List>>().toEqualTypeOf<DataModel["messages"]["document"][]>();
    expectTypeOf<ReferenceOf<typeof send>>().toEqualTypeOf<
      FunctionReference<"mutation", { body: string }, number, "public">
    >();
    expectTypeOf<ReferenceOf<typeof ping>>().toEqualTypeOf<FunctionReference<"action", {}, void, "public">>();
    expectTypeOf<ReferenceOf<typeof secret>>().toEqualTypeOf<FunctionReference<"query", {}, bigint, "internal">>();
    expectTypeOf<ReferenceOf<string>>().toEqualTypeOf<never>();
    expectTypeOf<ResultOf<FanOutReferenceOf<typeof secret>>>().toEqualTypeOf<FanOutResult<bigint>>();
  });

  it("are made as generated code does", () => {
    const reference = functionReference<ReferenceOf<typeof list>>("messages:list", "query", {
      kind: "argument",
      argument: "channelId",
      field: "channelId",
    });
    expectTypeOf(reference).toEqualTypeOf<ReferenceOf<typeof list>>();
    // @ts-expect-error another kind
    functionReference<ReferenceOf<typeof list>>("messages:list", "mutation", { kind: "root" });
    const registry: FunctionRegistry = {
      "messages:list": {
        kind: "query",
        visibility: "public",
        address: { kind: "fanOut", field: "f", merge: { kind: "concat", by: null, direction: null } },
        module: () => Promise.resolve({ list }),
        exportName: "list",
      },
    };
    expectTypeOf(registry).toEqualTypeOf<FunctionRegistry>();
  });
});

describe("the chain", () => {
  it("adds arguments, later ones in place of earlier ones", () => {
    query
      .input({ a: v.string() })
      .input({ b: v.number() })
      .input({ a: v.boolean() })
      .query(({ args }) => expectTypeOf(args).toEqualTypeOf<{ a: boolean; b: number }>());
  });

  it("widens ctx by what middleware adds", () => {
    query
      .use(({ ctx, next }) => next({ ctx: { user: { name: "ada" }, at: ctx.now } }))
      .use(async ({ ctx, next }) => {
        expectTypeOf(ctx.user.name).toExtend<string>();
        return next();
      })
      .query(({ ctx }) => {
        expectTypeOf(ctx.user.name).toExtend<string>();
        expectTypeOf(ctx.at).toEqualTypeOf<number>();
        expectTypeOf(ctx.db.query("channels").first()).resolves.toExtend<object | null>();
        // @ts-expect-error nobody added it
        void ctx.session;
      });
    // @ts-expect-error a middleware returns what `next` resolved to
    query.use(async () => 1);
  });

  it("takes middleware that is declared elsewhere, for any kind of ctx that fits", () => {
    mutation.use(signedIn).mutation(({ ctx }) => expectTypeOf(ctx.userId).toEqualTypeOf<string>());
    action.use(signedIn).action(({ ctx }) => expectTypeOf(ctx.userId).toEqualTypeOf<string>());
    // @ts-expect-error an action has no db
    action.use(needsDb);
  });

  it("narrows the result to the output, and checks the handler against it", () => {
    const narrowed = query.output(v.object({ name: v.string() })).query(() => ({ name: "x", secret: 1 }));
    expectTypeOf<ResultOf<ReferenceOf<typeof narrowed>>>().toEqualTypeOf<{ name: string }>();
    query.output(v.string()).query(async () => "x");
    // @ts-expect-error another type
    query.output(v.string()).query(() => 1);
    // @ts-expect-error another type
    query.output(v.string()).query(async () => 1);
  });

  it("has the terminal of its kind only, and fan-out on queries only", () => {
    // @ts-expect-error a query is not a mutation
    void query.mutation;
    // @ts-expect-error a mutation is not a query
    void mutation.query;
    query.fanOut({ kind: "topK", by: "likes", k: 3, direction: "desc" }).query(() => []);
    // @ts-expect-error a write has one shard
    void mutation.fanOut;
  });

  it("states a shard by an argument", () => {
    mutation.input({ channelId: v.string() }).shard("channelId");
    internalMutation.shard("__root__");
    // @ts-expect-error no such argument
    mutation.input({ channelId: v.string() }).shard("channel");
  });
});

describe("ctx", () => {
  const reference = functionReference<ReferenceOf<typeof send>>("messages:send", "mutation", { kind: "root" });
  const query0 = functionReference<ReferenceOf<typeof secret>>("a:secret", "query", { kind: "root" });

  it("runs other functions by reference", () => {
    action.action(async ({ ctx }) => {
      expectTypeOf(ctx.runMutation(reference, { body: "x" })).resolves.toEqualTypeOf<number>();
      expectTypeOf(ctx.runQuery(query0)).resolves.toEqualTypeOf<bigint>();
      expectTypeOf(ctx.fetch("https://example.com")).resolves.toEqualTypeOf<Response>();
      // @ts-expect-error another kind
      ctx.runQuery(reference, { body: "x" });
      // @ts-expect-error a renamed argument
      ctx.runMutation(reference, { text: "x" });
      // @ts-expect-error a missing argument
      ctx.runMutation(reference);
      // @ts-expect-error actions reach data through functions
      void ctx.db;
    });
    query.query(({ ctx }) => {
      // @ts-expect-error a query writes nothing
      void ctx.runMutation;
      // @ts-expect-error nothing outside in a transaction
      void ctx.fetch;
    });
  });
});

describe("defineTable", () => {
  const columns = { name: v.string(), rank: v.number(), topic: v.optional(v.string()), at: v.optional(v.timestamp()) };

  it("checks the names of columns", () => {
    defineTable(columns)
      .index("by_name", ["name", "_creationTime"])
      .shardBy("rank")
      .ttl("at", { after: 1000 })
      .ttl("_creationTime");
    // @ts-expect-error no such column
    defineTable(columns).index("by_color", ["color"]);
    // @ts-expect-error no such column
    defineTable(columns).shardBy("color");
    // @ts-expect-error may be absent
    defineTable(columns).shardBy("topic");
    // @ts-expect-error not a time
    defineTable(columns).ttl("name");
    // @ts-expect-error no such column
    defineTable(columns).relations((r) => ({ owner: r.one("users", { field: "ownerId" }) }));
  });

  it("types the rows a trigger sees", () => {
    defineTable(columns).triggers((t) => ({
      stamp: t.beforeInsert(({ document }) => {
        expectTypeOf(document.name).toEqualTypeOf<string>();
        expectTypeOf(document.topic).toEqualTypeOf<string | undefined>();
        return { ...document, rank: 1 };
      }),
      // @ts-expect-error nothing was there before an insert
      look: t.afterInsert(({ previous }) => previous),
    }));
  });
});
