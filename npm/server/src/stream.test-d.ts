/* oxlint-disable vitest/expect-expect -- an error that `tsc` must find is an assertion too */
import type { ArgumentsOf, FunctionReference, PresenceReference, ResultOf } from "@lunora/protocol";
import { describe, expectTypeOf, it } from "vitest";

import { definePresence, initLunora, v } from "./index.ts";
import type { PresenceReferenceOf, QueryCtx, ReferenceOf, StreamCtx } from "./index.ts";
import type { DataModel } from "./model.fixture.ts";

const { query, mutation } = initLunora.dataModel<DataModel>().create();

const words = query.input({ question: v.string() }).stream(
  async function* ({ ctx, args, signal }) {
    expectTypeOf(ctx).toEqualTypeOf<StreamCtx<QueryCtx<DataModel>>>();
    expectTypeOf(args).toEqualTypeOf<{ question: string }>();
    expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
    yield args.question;
    yield 5;
  },
  { durable: { ttlMs: 5 } },
);

describe("a stream", () => {
  it("is a reference with the type of its chunks", () => {
    expectTypeOf<ReferenceOf<typeof words>>().toExtend<FunctionReference<"stream">>();
    expectTypeOf<ResultOf<ReferenceOf<typeof words>>>().toEqualTypeOf<string | 5>();
    expectTypeOf<ArgumentsOf<ReferenceOf<typeof words>>>().toEqualTypeOf<{ question: string }>();
  });

  it("is a query's alone, and yields", () => {
    // @ts-expect-error mutations do not stream
    void mutation.stream;
    // @ts-expect-error a promise is no generator
    query.stream(async () => 5);
  });
});

describe("a kind of room", () => {
  it("is a reference with what members say and see", () => {
    const room = definePresence({ data: v.object({ name: v.string().default("Guest") }), authorize: () => true });
    type Said = NonNullable<PresenceReferenceOf<typeof room>["~presence"]>;
    expectTypeOf<PresenceReferenceOf<typeof room>>().toExtend<PresenceReference>();
    expectTypeOf<Said["data"]>().toExtend<{ name: string }>();
    expectTypeOf<{}>().toExtend<Said["input"]>();
    expectTypeOf<{ name: number }>().not.toExtend<Said["input"]>();
  });
});
