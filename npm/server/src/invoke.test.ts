import { describe, expect, it } from "vitest";

import { initLunora, invoke, isRegisteredFunction, v } from "./index.ts";
import type { Middleware } from "./index.ts";
import type { DataModel } from "./model.fixture.ts";

const { query, mutation, internalAction } = initLunora.dataModel<DataModel>().create();

const handler = (): number => 1;

describe("a registration", () => {
  it("holds what the chain gathered", () => {
    const input = { a: v.string() };
    const output = v.number();
    const registered = internalAction
      .input(input)
      .output(output)
      .meta({ a: 1 })
      .meta({ b: 2 })
      .shard("a")
      .action(handler);
    expect(registered).toEqual({
      kind: "action",
      visibility: "internal",
      input,
      output,
      middleware: [],
      meta: { a: 1, b: 2 },
      shard: "a",
      handler,
    });
    expect(isRegisteredFunction(registered)).toBe(true);
    expect(query.fanOut().query(handler).fanOut).toEqual({ kind: "concat" });
  });

  it("is what no other export is", () => {
    for (const other of [
      undefined,
      null,
      1,
      "x",
      () => 1,
      {},
      { kind: "query" },
      query,
      { kind: "presence", handler() {}, middleware: [] },
    ]) {
      expect(isRegisteredFunction(other)).toBe(false);
    }
  });

  it("comes from a chain that can be continued twice", () => {
    const base = query.input({ a: v.string() });
    const one = base.input({ b: v.string() }).query(() => 1);
    const other = base.query(() => 2);
    expect(Object.keys(one.input)).toEqual(["a", "b"]);
    expect(Object.keys(other.input)).toEqual(["a"]);
  });

  it("names a shard argument that exists", () => {
    expect(() => mutation.shard("z" as never)).toThrow(expect.objectContaining({ code: "SCHEMA_INVALID" }));
    expect(mutation.shard("__root__").mutation(() => 1).shard).toBe("__root__");
  });
});

describe("invoke", () => {
  it("validates the arguments before anything runs", async () => {
    let isRun = false;
    const middleware: Middleware<object> = ({ next }) => {
      isRun = true;
      return next();
    };
    const registered = query
      .input({ a: v.string(), n: v.number().default(3) })
      .use(middleware)
      .query(({ args }) => args);
    await expect(invoke(registered, { ctx: {}, args: { a: 1 } })).rejects.toMatchObject({
      code: "VALIDATION_ERROR",
      path: ["a"],
    });
    await expect(invoke(registered, { ctx: {}, args: undefined })).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
    await expect(invoke(registered, { ctx: {}, args: [] })).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
    expect(isRun).toBe(false);
    await expect(invoke(registered, { ctx: {}, args: { a: "x", more: 1 } })).resolves.toEqual({ a: "x", n: 3 });
  });

  it("takes no arguments as an empty object", async () => {
    await expect(
      invoke(
        query.query(({ args }) => args),
        { ctx: {}, args: undefined },
      ),
    ).resolves.toEqual({});
  });

  it("runs middleware in order, around the handler, each adding to ctx", async () => {
    const trace: string[] = [];
    const named =
      (name: string): Middleware<object, { last: string }> =>
      async ({ next }) => {
        trace.push(`${name} in`);
        const result = await next({ ctx: { last: name } });
        trace.push(`${name} out`);
        return result;
      };
    const registered = query
      .use(named("a"))
      .use(named("b"))
      .query(({ ctx }) => {
        trace.push("handler");
        return { last: ctx.last, kept: (ctx as unknown as { kept: number }).kept };
      });
    const ctx = { kept: 1, last: "none" };
    await expect(invoke(registered, { ctx, args: {} })).resolves.toEqual({ last: "b", kept: 1 });
    expect(trace).toEqual(["a in", "b in", "handler", "b out", "a out"]);
    expect(ctx).toEqual({ kept: 1, last: "none" });
  });

  it("gives `meta` to the handler and to middleware", async () => {
    let seen: unknown;
    const registered = query
      .meta({ role: "admin" })
      .use(({ ctx, next }) => {
        seen = ctx.meta;
        return next();
      })
      .query(({ ctx }) => ctx.meta);
    await expect(invoke(registered, { ctx: {}, args: {} })).resolves.toEqual({ role: "admin" });
    expect(seen).toEqual({ role: "admin" });
  });

  it("lets a middleware refuse", async () => {
    const refusal = new Error("no");
    let isRun = false;
    const registered = query
      .use(() => Promise.reject(refusal))
      .query(() => {
        isRun = true;
      });
    await expect(invoke(registered, { ctx: {}, args: {} })).rejects.toBe(refusal);
    expect(isRun).toBe(false);
  });

  it("lets the handler's error through the middleware", async () => {
    const failure = new Error("failed");
    let seen: unknown;
    const registered = query
      .use(async ({ next }) => {
        try {
          return await next();
        } catch (error) {
          seen = error;
          throw error;
        }
      })
      .query(() => {
        throw failure;
      });
    await expect(invoke(registered, { ctx: {}, args: {} })).rejects.toBe(failure);
    expect(seen).toBe(failure);
  });

  it.each<[string, Middleware<object>]>([
    ["does not call `next`", async () => ({ value: 1 })],
    ["returns something else", async ({ next }) => ({ ...(await next()) })],
    [
      "calls `next` twice",
      async ({ next }) => {
        await next();
        return next();
      },
    ],
  ])("refuses a middleware that %s", async (_, middleware) => {
    await expect(
      invoke(
        query.use(middleware).query(() => 1),
        { ctx: {}, args: {} },
      ),
    ).rejects.toMatchObject({ code: "INTERNAL" });
  });

  it("narrows the result to the output, and owns up when it does not match", async () => {
    const narrowed = query.output(v.object({ a: v.string() })).query(async () => ({ a: "x", secret: 1 }));
    await expect(invoke(narrowed, { ctx: {}, args: {} })).resolves.toEqual({ a: "x" });
    const wrong = query.output(v.string()).query(() => 1 as unknown as string);
    await expect(invoke(wrong, { ctx: {}, args: {} })).rejects.toMatchObject({ code: "INTERNAL", status: 500 });
  });
});
