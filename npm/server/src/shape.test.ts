import { describe, expect, it } from "vitest";

import {
  defineMutator,
  defineShape,
  initLunora,
  mutatorsOf,
  shapesOf,
  invoke,
  isRegisteredFunction,
  isRegisteredMutator,
  isRegisteredShape,
  v,
} from "./index.ts";
import type { DataModel } from "./model.fixture.ts";

const { mutation } = initLunora.dataModel<DataModel>().create();
const shape = shapesOf<DataModel>();
const mutator = mutatorsOf<DataModel>();

describe("a shape", () => {
  it("holds what was declared, and states nothing for what was left out", () => {
    const args = { channelId: v.id("channels") };
    const where = (_ctx: unknown, { channelId }: { channelId: string }) => ({ channelId }) as never;
    expect(shape({ table: "messages", args, where, columns: ["body", "author", "body"], use: [] })).toEqual({
      kind: "shape",
      table: "messages",
      input: args,
      where,
      columns: ["body", "author"],
      use: [],
    });
    expect(Object.keys(shape({ table: "messages" }))).toEqual(["kind", "table", "input"]);
  });

  it("is what no other export is", () => {
    expect(isRegisteredShape(shape({ table: "channels" }))).toBe(true);
    for (const other of [undefined, null, "shape", {}, mutation.mutation(() => 1), shape]) {
      expect(isRegisteredShape(other)).toBe(false);
    }
  });

  it.each([
    ["no table", {}],
    ["a condition that is no function", { table: "t", where: { a: 1 } }],
    ["no columns", { table: "t", columns: [] }],
    ["columns that are no list", { table: "t", columns: "body" }],
  ])("refuses %s", (_name, options) => {
    expect(() => defineShape(options as never)).toThrow(expect.objectContaining({ code: "SCHEMA_INVALID" }));
  });
});

describe("a mutator", () => {
  const args = { name: v.string() };

  it("is a mutation whose handler is the server's side", async () => {
    const both = defineMutator({
      args,
      apply: () => "shown",
      server: (ctx, { name }) => `${(ctx as unknown as { greeting: string }).greeting} ${name}`,
    });
    expect(isRegisteredFunction(both) && isRegisteredMutator(both)).toBe(true);
    expect([both.kind, both.visibility]).toEqual(["mutation", "public"]);
    expect(both.apply({}, {})).toBe("shown");
    await expect(invoke(both, { ctx: { greeting: "hello" }, args: { name: "you" } })).resolves.toBe("hello you");
    await expect(invoke(both, { ctx: {}, args: {} })).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
  });

  it("runs the same on both sides when it has one", async () => {
    const rows: unknown[] = [];
    const db = { insert: async (table: string, row: object) => rows.push([table, row]) };
    const add = mutator({ args, apply: (ctx, { name }) => ctx.db.insert("channels", { name }) });
    await invoke(add, { ctx: { db }, args: { name: "x" } });
    await add.apply({ db }, { name: "y" });
    expect(rows).toEqual([
      ["channels", { name: "x" }],
      ["channels", { name: "y" }],
    ]);
  });

  it("has middleware around the server's side only", async () => {
    const refused = mutator({
      args,
      apply: () => 1,
      use: [
        async () => {
          throw new Error("refused");
        },
      ],
    });
    await expect(invoke(refused, { ctx: {}, args: { name: "x" } })).rejects.toThrow("refused");
    expect(refused.apply({}, {})).toBe(1);
  });

  it("shows something", () => {
    expect(() => defineMutator({ args } as never)).toThrow(expect.objectContaining({ code: "SCHEMA_INVALID" }));
    expect(isRegisteredMutator(mutation.mutation(() => 1))).toBe(false);
  });
});
