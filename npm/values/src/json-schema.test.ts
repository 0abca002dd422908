import { describe, expect, it } from "vitest";

import { argsToJsonSchema, toJsonSchema, v } from "./index.ts";
import type { AnyValidator } from "./index.ts";

const $schema = "https://json-schema.org/draft/2020-12/schema";
const tagged = (...rest: object[]): object => {
  const prefixItems = [{ const: "$lunora.wire$" }, ...rest];
  return { type: "array", prefixItems, minItems: prefixItems.length, maxItems: prefixItems.length };
};

describe("toJsonSchema", () => {
  it.each<[string, AnyValidator, object]>([
    ["string", v.string(), { type: "string" }],
    ["number", v.number(), { type: "number" }],
    ["boolean", v.boolean(), { type: "boolean" }],
    ["null", v.null(), { type: "null" }],
    ["any", v.any(), {}],
    ["id", v.id("users"), { type: "string", minLength: 1, description: "Id of users" }],
    ["timestamp", v.timestamp(), { type: "number", description: "Epoch milliseconds" }],
    ["bigint", v.bigint(), tagged({ const: "bigint" }, { type: "string", pattern: "^-?[0-9]+$" })],
    [
      "bytes",
      v.bytes(),
      tagged({ const: "bytes" }, { type: "string", contentEncoding: "base64" }, { const: "ArrayBuffer" }),
    ],
    ["literal", v.literal("a"), { const: "a" }],
    ["literal of a bigint", v.literal(5n), tagged({ const: "bigint" }, { const: "5" })],
    ["array", v.array(v.string()), { type: "array", items: { type: "string" } }],
    [
      "record",
      v.record(v.string(), v.number()),
      { type: "object", propertyNames: { type: "string" }, additionalProperties: { type: "number" } },
    ],
    ["union", v.union(v.string(), v.null()), { anyOf: [{ type: "string" }, { type: "null" }] }],
    ["nullable", v.string().nullable(), { anyOf: [{ type: "string" }, { type: "null" }] }],
    ["optional", v.optional(v.string()), { type: "string" }],
    ["default", v.number().default(3), { type: "number", default: 3 }],
    [
      "default that JSON cannot hold",
      v.bigint().default(3n),
      tagged({ const: "bigint" }, { type: "string", pattern: "^-?[0-9]+$" }),
    ],
    [
      "check",
      v.string().check((text) => text.length > 2, { schema: { minLength: 3 } }),
      { type: "string", minLength: 3 },
    ],
  ])("of %s", (_, validator, expected) => {
    expect(toJsonSchema(validator)).toEqual({ $schema, ...expected });
  });

  it("of an object requires what has to be sent", () => {
    const fields = {
      a: v.string(),
      b: v.optional(v.string()),
      c: v.number().default(1),
      d: v.string().serverDefault(() => "x"),
      e: v.string().nullable(),
    };
    const expected = { $schema, type: "object", required: ["a", "e"] };
    expect(toJsonSchema(v.object(fields))).toMatchObject(expected);
    expect(argsToJsonSchema(fields)).toMatchObject(expected);
    expect(argsToJsonSchema({})).toEqual({ $schema, type: "object", properties: {} });
  });
});
