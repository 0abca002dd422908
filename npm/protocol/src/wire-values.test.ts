import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { checkProperty } from "../../test-seed.ts";
import fixtureText from "../../../tests/fixtures/wire-values.json?raw";
import { decodeValue } from "./decode-value.ts";
import { encodeValue } from "./encode-value.ts";
import { WIRE_TAG } from "./wire.ts";

const fixtures = JSON.parse(fixtureText) as {
  cases: { name: string; encoded: unknown; reencoded?: unknown }[];
  rejected: { name: string; code: string; encoded: unknown }[];
};

const json = (value: unknown): string => JSON.stringify(value) ?? "undefined";

/** JSON has one zero; everything else has to come back exactly. */
function normalise(item: unknown): unknown {
  if (Object.is(item, -0)) return 0;
  if (Array.isArray(item)) return item.map(normalise);
  if (item instanceof Map) return ["map", ...Array.from(item, ([from, to]) => [normalise(from), normalise(to)])];
  if (item instanceof Set) return ["set", ...Array.from(item, normalise)];
  if (item instanceof Date) return ["date", item.getTime()];
  if (item instanceof ArrayBuffer) return ["buffer", ...new Uint8Array(item)];
  if (ArrayBuffer.isView(item))
    return [item.constructor.name, ...new Uint8Array(item.buffer, item.byteOffset, item.byteLength)];
  if (typeof item !== "object" || item === null) return item;
  return ["object", ...Object.entries(item).map(([name, field]) => [name, normalise(field)])];
}

const WIRE_CODES: ReadonlySet<unknown> = new Set(["WIRE_MALFORMED", "WIRE_TOO_DEEP"]);

/** What decoding gives, or the code it is refused with. */
function tryDecode(wire: unknown): { decoded: unknown } | { code: unknown } {
  try {
    return { decoded: decodeValue(wire) };
  } catch (error) {
    return { code: (error as { code?: unknown }).code };
  }
}

/** Refused with a code of ours, or decoded to a value whose encoding stands for itself. */
function isSettled(outcome: ReturnType<typeof tryDecode>): boolean {
  if ("code" in outcome) return WIRE_CODES.has(outcome.code);
  const once = json(encodeValue(outcome.decoded));
  return once === "undefined" || json(encodeValue(decodeValue(JSON.parse(once)))) === once;
}

describe("golden fixtures", () => {
  it.each(fixtures.cases)("$name", ({ encoded, reencoded = encoded }) => {
    expect(json(encodeValue(decodeValue(encoded)))).toBe(json(reencoded));
  });

  it.each(fixtures.rejected)("refuses $name", ({ code, encoded }) => {
    expect(() => decodeValue(encoded)).toThrow(expect.objectContaining({ code }));
  });
});

describe("decoding", () => {
  it("gives the values themselves", () => {
    expect(decodeValue([WIRE_TAG, "bigint", "-12"])).toBe(-12n);
    expect(decodeValue([WIRE_TAG, "nan"])).toBeNaN();
    expect(decodeValue([WIRE_TAG, "inf"])).toBe(Infinity);
    expect(decodeValue([WIRE_TAG, "-inf"])).toBe(-Infinity);
    expect(decodeValue([WIRE_TAG, "undefined"])).toBeUndefined();
    expect(decodeValue([WIRE_TAG, "date", 5])).toEqual(new Date(5));
    expect(decodeValue([WIRE_TAG, "url", "https://a.example/"])).toEqual(new URL("https://a.example/"));
    expect(decodeValue([WIRE_TAG, "map", [[1, [WIRE_TAG, "bigint", "2"]]]])).toEqual(new Map([[1, 2n]]));
    expect(decodeValue([WIRE_TAG, "set", [1]])).toEqual(new Set([1]));
    expect(decodeValue([WIRE_TAG, "bytes", "AQID"])).toEqual(Uint8Array.of(1, 2, 3));
    expect(decodeValue([WIRE_TAG, "bytes", "AQID", "ArrayBuffer"])).toEqual(Uint8Array.of(1, 2, 3).buffer);
    expect(decodeValue([WIRE_TAG, "bytes", "AACAPw==", "Float32Array"])).toEqual(Float32Array.of(1));
    expect(decodeValue([WIRE_TAG, "arr", [WIRE_TAG, 1]])).toEqual([WIRE_TAG, 1]);
  });

  it("gives an error its name, fields and cause, and keeps no stack of the peer", () => {
    const error = decodeValue([
      WIRE_TAG,
      "error",
      "TypeError",
      "bad",
      { code: "X", stack: "at peer.ts" },
      [WIRE_TAG, "bigint", "1"],
    ]);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: "TypeError", message: "bad", code: "X", cause: 1n });
    expect((error as Error).stack).not.toContain("peer.ts");
    expect(Object.keys(error as Error)).toEqual(["code"]);
    // All of its own can be set again, as that of any error can.
    expect(Object.assign(error as Error, { name: "N", message: "m" })).toMatchObject({ name: "N", message: "m" });
  });

  it("takes name, message and cause of an error from nowhere but their places", () => {
    const error = decodeValue([
      WIRE_TAG,
      "error",
      "E",
      "m",
      { name: "F", message: "n", cause: 1, stack: "s" },
    ]) as Error;
    expect(error).toMatchObject({ name: "E", message: "m", cause: undefined });
    expect(error.stack).not.toBe("s");
    expect(Object.keys(error)).toEqual([]);
    expect(encodeValue(error)).toEqual([WIRE_TAG, "error", "E", "m", {}]);
  });

  it("never reaches a prototype", () => {
    const decoded = decodeValue(
      JSON.parse(`{"x":["${WIRE_TAG}","bigint","1"],"__proto__":{"polluted":true}}`),
    ) as object;
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype);
    expect(Object.keys(decoded)).toEqual(["x", "__proto__"]);
    const error = decodeValue(JSON.parse(`["${WIRE_TAG}","error","E","m",{"__proto__":{"polluted":true}}]`)) as object;
    expect(Object.getPrototypeOf(error)).toBe(Error.prototype);
    expect((error as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it("refuses nesting that would exhaust the stack, without exhausting it", () => {
    for (const open of [
      "[",
      `["${WIRE_TAG}","date",`,
      `["${WIRE_TAG}","future",`,
      `["${WIRE_TAG}","error","E","m",{},`,
    ]) {
      const depth = 20_000;
      const hostile: unknown = JSON.parse(open.repeat(depth) + "1" + "]".repeat(depth));
      expect(() => decodeValue(hostile)).toThrow(expect.objectContaining({ name: "LunoraError" }));
    }
  });
});

describe("encoding", () => {
  it("returns plain JSON as the same object", () => {
    const value = { a: [1, "b", { c: null }], d: true };
    expect(encodeValue(value)).toBe(value);
    expect(decodeValue(value)).toBe(value);
  });

  it("leaves its argument alone and shares what did not change", () => {
    const kept = { deep: [1] };
    const value = { kept, n: 1n };
    const encoded = encodeValue(value) as { kept: unknown };
    expect(value).toEqual({ kept: { deep: [1] }, n: 1n });
    expect(encoded.kept).toBe(kept);
  });

  it("drops undefined in objects and keeps it in arrays, maps and sets", () => {
    expect(Object.keys(encodeValue({ a: undefined, b: 1, c: undefined }) as object)).toEqual(["b"]);
    expect(encodeValue([undefined])).toEqual([[WIRE_TAG, "undefined"]]);
    expect(encodeValue(Object.assign([], { 0: 1, 2: 2, length: 3 }))).toEqual([1, [WIRE_TAG, "undefined"], 2]);
    expect(decodeValue(encodeValue(new Map([[undefined, undefined]])))).toEqual(new Map([[undefined, undefined]]));
    expect(encodeValue(undefined)).toBeUndefined();
  });

  it("never sends a stack", () => {
    const error = Object.assign(new Error("outer", { cause: new Error("inner") }), { code: 7 });
    Object.defineProperty(error, "stack", { enumerable: true, value: "at secret.ts" });
    expect(encodeValue(error)).toEqual([
      WIRE_TAG,
      "error",
      "Error",
      "outer",
      { code: 7 },
      [WIRE_TAG, "error", "Error", "inner", {}],
    ]);
  });

  it("sends a part of a buffer, not the whole of it", () => {
    expect(encodeValue(Uint8Array.of(9, 1, 2, 3, 9).subarray(1, 4))).toEqual([WIRE_TAG, "bytes", "AQID"]);
  });

  class Custom {
    field = 1;
  }
  it.each([
    ["a function", () => 1],
    ["a symbol", Symbol("x")],
    ["a RegExp", /x/],
    ["a class instance", new Custom()],
    ["a boxed number", Object(1)],
    ["a promise", Promise.resolve()],
    ["a weak map", new WeakMap()],
    ["a DataView", new DataView(new ArrayBuffer(1))],
    ["a bigint of 1,025 digits", 10n ** 1024n],
  ])("refuses %s", (_, value) => {
    for (const place of [value, [value], { a: 1n, b: value }, new Map([[1, value]]), new Set([value])]) {
      expect(() => encodeValue(place)).toThrow(expect.objectContaining({ code: "WIRE_VALUE_UNSUPPORTED" }));
    }
  });

  it("refuses a cycle and a 65th level", () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(() => encodeValue(cycle)).toThrow(expect.objectContaining({ code: "WIRE_TOO_DEEP" }));
    let value: unknown = 1n;
    for (let level = 0; level < 64; level++) value = level % 2 === 0 ? [value] : new Set([value]);
    expect(decodeValue(JSON.parse(JSON.stringify(encodeValue(value))))).toEqual(value);
    expect(() => encodeValue({ value })).toThrow(expect.objectContaining({ code: "WIRE_TOO_DEEP" }));
  });

  it("takes an invalid date in the 64th level, and no chain of dates", () => {
    let value: unknown = new Date(Number.NaN);
    for (let level = 0; level < 64; level++) value = [value];
    expect(decodeValue(JSON.parse(JSON.stringify(encodeValue(value))))).toEqual(value);
    const chain = [WIRE_TAG, "date", [WIRE_TAG, "date", [WIRE_TAG, "nan"]]];
    expect(() => decodeValue(chain)).toThrow(expect.objectContaining({ code: "WIRE_MALFORMED" }));
  });
});

describe("random values", () => {
  const leaf = fc.oneof(
    fc.jsonValue({ maxDepth: 0 }),
    fc.bigInt(),
    fc.double(),
    fc.constant(undefined),
    fc.date({ noInvalidDate: false }),
    fc.constantFrom(WIRE_TAG, "bigint", "__proto__"),
    fc.uint8Array(),
    fc.uint8Array().map((bytes) => bytes.slice().buffer),
    fc.float32Array(),
    fc.bigInt64Array(),
  );
  const key = fc.oneof(fc.string(), fc.constantFrom("__proto__", WIRE_TAG, "toString", "constructor"));
  const value = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      leaf,
      fc.array(tie("value")),
      fc.array(tie("value")).map((items) => [WIRE_TAG, ...items]),
      // Undefined fields are dropped by design: left out, so that the round trip is exact.
      fc
        .array(fc.tuple(key, tie("value")))
        .map((entries) => Object.fromEntries(entries.filter(([, item]) => item !== undefined))),
      fc.array(fc.tuple(tie("value"), tie("value"))).map((entries) => new Map(entries)),
      fc.array(tie("value")).map((items) => new Set(items)),
    ),
  })).value;

  it("come back as they were", () => {
    checkProperty(
      fc.property(value, (original) => {
        const text = json(encodeValue(original));
        const decoded = text === "undefined" ? undefined : decodeValue(JSON.parse(text));
        expect(normalise(decoded)).toStrictEqual(normalise(original));
      }),
    );
  });

  it("of JSON are byte-identical, unless they hold the tag", () => {
    checkProperty(
      fc.property(fc.jsonValue(), (original) => {
        expect(encodeValue(original)).toBe(original);
        expect(decodeValue(original)).toBe(original);
      }),
    );
  });

  it("decode to something that encodes again, or are refused with a code", () => {
    const wire = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        fc.jsonValue({ maxDepth: 1 }),
        fc.tuple(
          fc.constant(WIRE_TAG),
          fc.constantFrom("bigint", "nan", "undefined", "date", "url", "map", "set", "bytes", "error", "arr", "x"),
          tie("value"),
        ),
        fc.array(tie("value")),
      ),
    })).value;
    checkProperty(
      fc.property(wire, (hostile) => {
        expect(isSettled(tryDecode(hostile))).toBe(true);
      }),
    );
  });
});
