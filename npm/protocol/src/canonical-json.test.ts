import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { checkProperty } from "../../test-seed.ts";
import fixtureText from "../../../tests/fixtures/subscription-keys.json?raw";
import { canonicalJson, subscriptionKey } from "./canonical-json.ts";
import { decodeValue } from "./decode-value.ts";

const { cases } = JSON.parse(fixtureText) as {
  cases: { name: string; functionPath: string; args: unknown; shardKey?: string; key: string }[];
};

/** The same value with the keys of every object in the reverse order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value).toReversed()) {
    Object.defineProperty(copy, key, { value: reversed(field), configurable: true, enumerable: true, writable: true });
  }
  return copy;
}

describe("subscription keys", () => {
  it.each(cases)("$name", ({ functionPath, args, shardKey, key }) => {
    expect(subscriptionKey(functionPath, decodeValue(args), shardKey)).toBe(key);
  });

  it("leave undefined out", () => {
    expect(subscriptionKey("a:b", { x: undefined, y: 1 })).toBe('a:b::{"y":1}::');
  });
});

describe("canonical JSON", () => {
  it("is valid JSON of an equal value and does not depend on the order of keys", () => {
    checkProperty(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(reversed(value))).toBe(text);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
  });

  it("sorts keys by UTF-16 code unit", () => {
    checkProperty(
      fc.property(fc.uniqueArray(fc.string({ unit: "binary" })), (keys) => {
        const text = canonicalJson(Object.fromEntries(keys.map((key) => [key, 0])));
        const sorted = keys.toSorted((left, right) => (left < right ? -1 : 1));
        expect(text).toBe(`{${sorted.map((key) => `${JSON.stringify(key)}:0`).join(",")}}`);
      }),
    );
  });
});
