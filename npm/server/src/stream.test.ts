import { describe, expect, it } from "vitest";

import { definePresence, initLunora, isRegisteredPresence, v } from "./index.ts";
import type { RegisteredFunction } from "./index.ts";
import type { Untyped } from "./untyped.ts";

const { query } = initLunora.dataModel<Untyped>().create();

async function* nothing(): AsyncGenerator<never> {}

describe("a stream", () => {
  it.each([
    [undefined, undefined],
    [{ durable: true as const }, { ttlMs: 86_400_000 }],
    [{ durable: { ttlMs: 5 } }, { ttlMs: 5 }],
  ])("declared with %j keeps its chunks for %j", (options, durable) => {
    const registered: RegisteredFunction = query.stream(nothing, options);
    expect(registered.kind).toBe("stream");
    expect(registered.durable).toEqual(durable);
  });

  it.each([0, -1, 0.5, Number.NaN, Infinity])("refuses to keep them for %s ms", (ttlMs) => {
    expect(() => query.stream(nothing, { durable: { ttlMs } })).toThrow(
      expect.objectContaining({ code: "SCHEMA_INVALID" }),
    );
  });

  it("is from one shard", () => {
    expect(() => query.fanOut().stream(nothing)).toThrow(expect.objectContaining({ code: "SCHEMA_INVALID" }));
  });
});

describe("a kind of room", () => {
  it("has what it was declared with", () => {
    const data = v.object({});
    expect(definePresence({ data })).toEqual({ kind: "presence", data });
    expect(isRegisteredPresence(definePresence({ data, authorize: () => true }))).toBe(true);
    expect(isRegisteredPresence({ data })).toBe(false);
  });

  it.each([{}, { data: 5 }, { data: v.any(), authorize: true }])("is not %j", (options) => {
    expect(() => definePresence(options as Untyped)).toThrow(expect.objectContaining({ code: "SCHEMA_INVALID" }));
  });
});
