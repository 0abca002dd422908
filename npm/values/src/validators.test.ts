import { describe, expect, it, vi } from "vitest";

import { v, ValidationError } from "./index.ts";
import type { AnyValidator } from "./index.ts";

class Custom {
  a = "x";
}
const buffer = new ArrayBuffer(2);
const update = (): number => 1;
const server = (): string => "x";

/** What each validator takes as it is, and what it refuses. */
const CASES: Record<string, { validator: AnyValidator; takes: unknown[]; refuses: unknown[] }> = {
  string: { validator: v.string(), takes: ["", "a"], refuses: [1, null, undefined, {}, Object("a")] },
  number: {
    validator: v.number(),
    takes: [0, -1.5, Number.MAX_VALUE],
    refuses: [NaN, Infinity, -Infinity, "1", 1n, null, undefined],
  },
  boolean: { validator: v.boolean(), takes: [true, false], refuses: [0, 1, "true", null, undefined] },
  null: { validator: v.null(), takes: [null], refuses: [undefined, 0, false, ""] },
  bigint: { validator: v.bigint(), takes: [0n, 2n ** 70n], refuses: [1, "1", null] },
  bytes: { validator: v.bytes(), takes: [buffer], refuses: [new Uint8Array(2), new DataView(buffer), "", [1]] },
  timestamp: { validator: v.timestamp(), takes: [0, -1], refuses: [new Date(), NaN, "2020-01-01"] },
  date: { validator: v.date(), takes: [0, 1.5], refuses: [new Date(), Infinity] },
  id: { validator: v.id("users"), takes: ["abc"], refuses: ["", 1, null, undefined] },
  storage: { validator: v.storage("avatars"), takes: ["key"], refuses: [1] },
  any: { validator: v.any(), takes: [null, 0, "", [], Symbol.iterator], refuses: [undefined] },
  geoPoint: {
    validator: v.geoPoint(),
    takes: [
      { lat: 90, lng: -180 },
      { lat: 0, lng: 0 },
    ],
    refuses: [
      { lat: 90.1, lng: 0 },
      { lat: 0, lng: 181 },
      { lat: NaN, lng: 0 },
      { lat: "0", lng: 0 },
      { lat: 0 },
      [0, 0],
      null,
    ],
  },
  "literal of a string": { validator: v.literal("a"), takes: ["a"], refuses: ["b", "", null] },
  "literal of a bigint": { validator: v.literal(1n), takes: [1n], refuses: [1, 2n] },
  "literal of null": { validator: v.literal(null), takes: [null], refuses: [undefined, 0] },
  array: {
    validator: v.array(v.string()),
    takes: [[], ["a"]],
    refuses: [["a", 1], [undefined], { length: 0 }, "a", null],
  },
  "sparse array": { validator: v.array(v.number()), takes: [], refuses: [Object.assign([], { length: 1 })] },
  record: {
    validator: v.record(v.string(), v.number()),
    takes: [{}, { a: 1, "": 2 }],
    refuses: [{ a: "1" }, { a: undefined }, [], null, new Map()],
  },
  "record of two keys": {
    validator: v.record(v.union(v.literal("a"), v.literal("b")), v.number()),
    takes: [{ a: 1 }],
    refuses: [{ c: 1 }],
  },
  union: { validator: v.union(v.string(), v.number()), takes: ["a", 1], refuses: [null, undefined, true] },
  nullable: { validator: v.string().nullable(), takes: [null, "a"], refuses: [undefined, 1] },
  optional: { validator: v.optional(v.string()), takes: [undefined, "a"], refuses: [null, 1] },
  "optional nullable": { validator: v.optional(v.string().nullable()), takes: [undefined, null, "a"], refuses: [1] },
  object: {
    validator: v.object({ a: v.string(), b: v.optional(v.number()) }),
    takes: [{ a: "x" }, { a: "x", b: 1 }],
    refuses: [{}, { a: 1 }, { a: "x", b: "y" }, [], null, "a", new Custom(), new Date()],
  },
};

describe.each(Object.entries(CASES))("v.%s", (_, { validator, takes, refuses }) => {
  it.each(takes.map((value) => [value]))("takes %o", (value) => {
    expect(validator.parse(value)).toEqual(value);
    expect(validator.safeParse(value)).toEqual({ ok: true, value });
  });

  it.each(refuses.map((value) => [value]))("refuses %o", (value) => {
    expect(() => validator.parse(value)).toThrow(ValidationError);
    expect(validator.safeParse(value)).toMatchObject({ ok: false, error: { code: "VALIDATION_ERROR", status: 400 } });
  });
});

describe("v.object", () => {
  it("drops what is not declared and copies the rest", () => {
    const input = { a: "x", b: 1 };
    const output = v.object({ a: v.string() }).parse(input);
    expect(output).toEqual({ a: "x" });
    expect(input).toEqual({ a: "x", b: 1 });
    expect(Object.keys(v.object({ a: v.optional(v.string()) }).parse({ a: undefined }))).toEqual([]);
  });

  it("takes objects without a prototype", () => {
    expect(v.object({ a: v.string() }).parse(Object.assign(Object.create(null), { a: "x" }))).toEqual({ a: "x" });
  });

  it("sees own fields only, `__proto__` among them", () => {
    const inherited = v.object({ toString: v.optional(v.any()), constructor: v.optional(v.any()) });
    expect(inherited.parse({})).toEqual({});
    const proto = v.object({ ["__proto__"]: v.object({ polluted: v.boolean() }) });
    const output = proto.parse(JSON.parse('{"__proto__":{"polluted":true}}'));
    expect(Object.getPrototypeOf(output)).toBe(Object.prototype);
    expect(Object.keys(output)).toEqual(["__proto__"]);
    expect(() => proto.parse({})).toThrow(ValidationError);
  });
});

describe("v.record", () => {
  it("keeps `__proto__` as data", () => {
    const output = v.record(v.string(), v.number()).parse(JSON.parse('{"__proto__":1,"a":2}'));
    expect(Object.entries(output)).toEqual([
      ["__proto__", 1],
      ["a", 2],
    ]);
    expect(Object.getPrototypeOf(output)).toBe(Object.prototype);
  });
});

describe("v.from", () => {
  const even = {
    "~standard": {
      version: 1 as const,
      vendor: "acme",
      types: undefined as undefined | { input: string; output: number },
      validate: (value: unknown) =>
        typeof value === "string" && Number(value) % 2 === 0
          ? { value: Number(value) }
          : { issues: [{ message: "not even", path: ["deep", { key: 0 }] }] },
    },
  };

  it("asks the schema and takes what it makes of the value", () => {
    const validator = v.object({ n: v.from(even) });
    expect(validator.parse({ n: "4" })).toEqual({ n: 4 });
    expect(() => validator.parse({ n: "3" })).toThrow(
      "`n.deep[0]`: expected a value that `acme` accepts (not even), received string",
    );
  });

  it("refuses a schema that answers with a promise", () => {
    const slow = { "~standard": { ...even["~standard"], validate: () => Promise.resolve({ value: 1 }) } };
    expect(() => v.from(slow).parse("4")).toThrow(TypeError);
  });
});

describe("errors", () => {
  it("say where, what was asked for and what was there, but not the value", () => {
    const validator = v.object({ items: v.array(v.object({ "a b": v.string() })) });
    const result = validator.safeParse({ items: [{ "a b": "x" }, { "a b": 12345 }] });
    if (result.ok) throw new Error("should have been refused");
    expect(result.error.path).toEqual(["items", 1, "a b"]);
    expect(result.error.message).toBe('`items[1]["a b"]`: expected string, received number');
    expect(result.error.data).toEqual({ path: ["items", 1, "a b"], expected: "string", received: "number" });
    expect(JSON.stringify(result.error)).not.toContain("12345");
  });

  it.each([
    [undefined, "undefined"],
    [null, "null"],
    [[], "array"],
    [NaN, "NaN"],
    [new Date(), "Date"],
    [Object.create(null), "object"],
    [() => 1, "function"],
  ])("call %o %s", (value, received) => {
    expect(v.string().safeParse(value)).toMatchObject({ error: { received } });
  });

  it("of a union name all members, or what is wrong in the one that was meant", () => {
    expect(() => v.union(v.string(), v.literal(1)).parse(true)).toThrow("expected string or 1, received boolean");
    const shape = v.union(
      v.object({ kind: v.literal("circle"), radius: v.number() }),
      v.object({ kind: v.literal("square"), side: v.number() }),
    );
    expect(() => shape.parse({ kind: "square", side: "2" })).toThrow("`side`: expected finite number, received string");
    expect(() => shape.parse({ kind: "circle", radius: null })).toThrow(
      "`radius`: expected finite number, received null",
    );
  });
});

describe("modifiers", () => {
  it("fill what was left out, each time with a copy", () => {
    const validator = v.object({ tags: v.array(v.string()).default([]), n: v.number().$defaultFn(() => 7) });
    const first = validator.parse({});
    expect(first).toEqual({ tags: [], n: 7 });
    first.tags.push("x");
    expect(validator.parse({})).toEqual({ tags: [], n: 7 });
    expect(validator.parse({ tags: ["y"], n: 0 })).toEqual({ tags: ["y"], n: 0 });
    expect(() => validator.parse({ tags: null })).toThrow(ValidationError);
  });

  it("refuse a default that would not pass", () => {
    expect(() => v.number().default(NaN)).toThrow(ValidationError);
  });

  it("fill the time of the call", () => {
    vi.useFakeTimers({ now: 1234 });
    try {
      expect(v.timestamp().defaultNow().parse(undefined)).toBe(1234);
    } finally {
      vi.useRealTimers();
    }
  });

  it("check the parsed value, and not one that was left out", () => {
    const short = v.string().check((text) => text.length < 3, { message: "fewer than 3 characters" });
    expect(short.parse("ab")).toBe("ab");
    expect(() => short.parse("abc")).toThrow("expected fewer than 3 characters, received string");
    expect(() => short.parse(1)).toThrow("expected string, received number");
    expect(v.optional(short).parse(undefined)).toBeUndefined();
    expect(short.nullable().parse(null)).toBeNull();
    expect(() => v.object({ s: short }).parse({ s: "abc" })).toThrow("`s`: expected fewer");
  });

  it("leave the validator they are called on as it was", () => {
    const base = v.string();
    base.unique();
    base.default("x");
    base.meta({ a: 1 });
    expect(base.column).toEqual({ isOptional: false, isUnique: false, schemas: [], meta: {} });
    expect(() => base.parse(undefined)).toThrow(ValidationError);
  });

  it("are kept as facts, through wrappers too", () => {
    const { column } = v.optional(v.number().unique().$onUpdateFn(update).meta({ a: 1 }).meta({ b: 2 }).nullable());
    expect(column).toMatchObject({ isOptional: true, isUnique: true, onUpdate: update, meta: { a: 1, b: 2 } });
    expect(v.string().serverDefault(server).column.server).toBe(server);
    expect(v.number().default(1).column.default).toEqual({ kind: "value", value: 1 });
    expect(v.timestamp().defaultNow().column.default).toEqual({ kind: "now" });
    expect(v.optional(v.string()).default("x").column.isOptional).toBe(false);
  });

  it("make sense only where something can be left out", () => {
    expect(() => v.array(v.optional(v.string()))).toThrow(TypeError);
    expect(() => v.union(v.optional(v.string()))).toThrow(TypeError);
    expect(() => v.record(v.string(), v.optional(v.string()))).toThrow(TypeError);
  });
});

describe("Standard Schema", () => {
  it("is spoken", () => {
    const { version, vendor, validate } = v.object({ a: v.string() })["~standard"];
    expect({ version, vendor }).toEqual({ version: 1, vendor: "lunora" });
    expect(validate({ a: "x", b: 1 })).toEqual({ value: { a: "x" } });
    expect(validate({ a: 1 })).toEqual({ issues: [{ message: "`a`: expected string, received number", path: ["a"] }] });
  });
});
