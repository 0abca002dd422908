/* oxlint-disable vitest/expect-expect -- an error that `tsc` must find is an assertion too */
import { describe, expectTypeOf, it } from "vitest";

import { v } from "./index.ts";
import type { Id, Infer, InferFields, InferFieldsInput, InferInput, StandardSchema } from "./index.ts";

describe("Infer", () => {
  it("gives the type of each validator", () => {
    expectTypeOf<Infer<ReturnType<typeof v.string>>>().toEqualTypeOf<string>();
    const bytes = v.bytes();
    expectTypeOf<Infer<typeof bytes>>().toEqualTypeOf<ArrayBuffer>();
    const literal = v.literal("a");
    expectTypeOf<Infer<typeof literal>>().toEqualTypeOf<"a">();
    const id = v.id("users");
    expectTypeOf<Infer<typeof id>>().toEqualTypeOf<Id<"users">>();
    const union = v.union(v.literal("a"), v.number(), v.array(v.bigint()));
    expectTypeOf<Infer<typeof union>>().toEqualTypeOf<"a" | number | bigint[]>();
    const record = v.record(v.union(v.literal("x"), v.literal("y")), v.boolean());
    expectTypeOf<Infer<typeof record>>().toEqualTypeOf<Record<"x" | "y", boolean>>();
    const nullable = v.string().nullable();
    expectTypeOf<Infer<typeof nullable>>().toEqualTypeOf<string | null>();
    const narrowed = v.string().$type<"a" | "b">();
    expectTypeOf<Infer<typeof narrowed>>().toEqualTypeOf<"a" | "b">();
    const optional = v.optional(v.string());
    expectTypeOf<Infer<typeof optional>>().toEqualTypeOf<string | undefined>();
  });

  it("makes optional fields optional keys", () => {
    const fields = {
      a: v.string(),
      b: v.optional(v.number()),
      c: v.boolean().default(true),
      d: v.optional(v.string().nullable()),
    };
    const object = v.object(fields);
    expectTypeOf<Infer<typeof object>>().toEqualTypeOf<{ a: string; c: boolean; b?: number; d?: string | null }>();
    expectTypeOf<InferFields<typeof fields>>().toEqualTypeOf<Infer<typeof object>>();
    expectTypeOf<InferInput<typeof object>>().toEqualTypeOf<{
      a: string;
      b?: number | undefined;
      c?: boolean | undefined;
      d?: string | null | undefined;
    }>();
    expectTypeOf<InferFieldsInput<typeof fields>>().toEqualTypeOf<InferInput<typeof object>>();
    expectTypeOf<InferFields<{}>>().toEqualTypeOf<{}>();
  });

  it("follows nesting", () => {
    const nested = v.array(v.object({ at: v.optional(v.object({ lat: v.number() })) }));
    expectTypeOf<Infer<typeof nested>>().toEqualTypeOf<{ at?: { lat: number } }[]>();
  });

  it("takes the types of foreign schemas", () => {
    const foreign = v.from({} as StandardSchema<string, Date>);
    expectTypeOf<Infer<typeof foreign>>().toEqualTypeOf<Date>();
    expectTypeOf<InferInput<typeof foreign>>().toEqualTypeOf<string>();
  });

  it("is itself a Standard Schema", () => {
    const object = v.object({ n: v.number().default(1) });
    expectTypeOf(object).toExtend<StandardSchema<{ n?: number | undefined }, { n: number }>>();
  });

  it("refuses what makes no sense", () => {
    // @ts-expect-error a key of a record is a string
    v.record(v.number(), v.string());
    // @ts-expect-error a default has the type of the value
    v.string().default(1);
    // @ts-expect-error only times can be now
    v.string().defaultNow();
    // @ts-expect-error `$type` narrows
    v.string().$type<number>();
    // @ts-expect-error not a literal
    v.literal({});
  });
});
