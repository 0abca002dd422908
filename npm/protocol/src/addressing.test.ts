import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { checkProperty } from "../../test-seed.ts";
import fixtureText from "../../../tests/fixtures/addressing.json?raw";
import {
  decodeIdShard,
  deriveId,
  encodeIdShard,
  hasIdForm,
  mintId,
  objectName,
  objectOf,
  resolveAddress,
  ROOT_OBJECT,
  shardValueText,
} from "./addressing.ts";

const fixtures = JSON.parse(fixtureText) as {
  derivedIds: { mutationId: string; table: string; n: number; shardValue?: string; id: string }[];
  cases: { field: string; value: { kind: "string" | "number" | "bigint"; value: string }; objectName: string }[];
  invalidValues: string[];
  ids: { random: string; value: string; id: string }[];
  unshardedIds: string[];
  invalidIds: string[];
};

const PARSE = { string: (text: string) => text, number: Number, bigint: BigInt };
const badRequest = expect.objectContaining({ code: "BAD_REQUEST", status: 400 });

function isDecodable(id: string): boolean {
  try {
    decodeIdShard(id);
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code !== "BAD_REQUEST") throw error;
    return false;
  }
}

describe("golden fixtures", () => {
  it.each(fixtures.cases)("$objectName", ({ field, value: { kind, value }, objectName: expected }) => {
    expect(objectName(field, shardValueText(PARSE[kind](value)))).toBe(expected);
  });

  it.each(fixtures.invalidValues)("refuses the value %j", (value) => {
    expect(() => shardValueText(value)).toThrow(badRequest);
    expect(() => objectName("f", value)).toThrow(badRequest);
    expect(() => encodeIdShard("x", value)).toThrow(badRequest);
  });

  it.each(fixtures.ids)("$id", ({ random, value, id }) => {
    expect(encodeIdShard(random, value)).toBe(id);
    expect(decodeIdShard(id)).toBe(value);
    expect(hasIdForm(id, true)).toBe(true);
    expect(hasIdForm(id, false)).toBe(false);
  });

  it.each(fixtures.derivedIds)(
    "$id is row $n of `$table` in $mutationId",
    ({ mutationId, table, n, shardValue, id }) => {
      expect(deriveId(mutationId, table, n, shardValue)).toBe(id);
    },
  );

  it.each(fixtures.unshardedIds)("%s carries no shard", (id) => {
    expect(decodeIdShard(id)).toBeNull();
    expect(hasIdForm(id, false)).toBe(true);
    expect(hasIdForm(id, true)).toBe(false);
  });

  it.each(fixtures.invalidIds)("refuses the id %j", (id) => {
    expect(() => decodeIdShard(id)).toThrow(badRequest);
    expect(hasIdForm(id, true)).toBe(false);
  });
});

describe("shard values", () => {
  it.each([null, undefined, true, {}, [], NaN, Infinity, -Infinity, "\ud800", "a\udc00b"])("refuses %j", (value) => {
    expect(() => shardValueText(value)).toThrow(badRequest);
  });

  it("never meet across fields, nor collide with names of our own", () => {
    const field = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,8}$/);
    const value = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 });
    checkProperty(
      fc.property(field, value, field, value, (field1, value1, field2, value2) => {
        const name1 = objectName(field1, value1);
        expect(name1 === objectName(field2, value2)).toBe(field1 === field2 && value1 === value2);
        expect(name1).not.toBe(ROOT_OBJECT);
        expect(name1.startsWith("__lunora_")).toBe(false);
        expect(name1).toMatch(/^[\x21-\x7e]+$/);
      }),
    );
  });
});

describe("ids", () => {
  it("carry any shard value back and forth", () => {
    const value = fc.string({ unit: "binary", minLength: 1, maxLength: 100 });
    checkProperty(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), value, (random, shard) => {
        const id = mintId(random, shard);
        expect(decodeIdShard(id)).toBe(shard);
        expect(hasIdForm(id, true)).toBe(true);
        expect(id.slice(0, 22)).toBe(mintId(random));
        expect(hasIdForm(mintId(random), false)).toBe(true);
      }),
    );
  });

  it("have one form for each shard: no other text decodes to it", () => {
    checkProperty(
      fc.property(fc.string({ minLength: 1, maxLength: 12 }), (text) => {
        const id = `x.${text}`;
        const canonical = isDecodable(id) ? encodeIdShard("x", decodeIdShard(id) as string) : id;
        expect(canonical).toBe(id);
      }),
      5_000,
    );
  });

  it.each([
    "",
    "x",
    "AAAAAAAAAAAAAAAAAAAAAB",
    "AAAAAAAAAAAAAAAAAAAAA",
    "AAAAAAAAAAAAAAAAAAAAAAA",
    "AAAAAAAAAAAAAAAAAAAA==",
  ])("%j is not the form of one", (text) => {
    expect(hasIdForm(text, false)).toBe(false);
  });

  it("take 16 bytes", () => {
    expect(() => mintId(new Uint8Array(15))).toThrow(RangeError);
  });

  it.each(["", "mine", "AAAAAAAAAAAAAAAAAAAAA", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"])(
    "are not derived from %j",
    (mutationId) => {
      expect(() => deriveId(mutationId, "messages", 0)).toThrow(RangeError);
    },
  );

  it("keep a text's form from another: a byte order mark, bytes that are no UTF-8", () => {
    expect(decodeIdShard(encodeIdShard("x", "\ufeffa"))).toBe("\ufeffa");
    expect(() => decodeIdShard("x._w")).toThrow(badRequest);
  });
});

describe("resolveAddress", () => {
  const byChannel = { kind: "argument", argument: "channelId", field: "channelId" } as const;
  const byId = { kind: "id", argument: "id", table: "messages", field: "channelId" } as const;
  const general = { kind: "object", name: "channelId=general", field: "channelId", value: "general" };
  const id = mintId(new Uint8Array(16), "general");

  it("goes to the root, a shard, all shards, or stays in the Worker", () => {
    expect(resolveAddress({ kind: "root" }, {})).toEqual({
      kind: "object",
      name: "__root__",
      field: null,
      value: null,
    });
    expect(resolveAddress(byChannel, { channelId: "general" })).toEqual(general);
    expect(resolveAddress(byId, { id })).toEqual(general);
    const merge = { kind: "sum" } as const;
    expect(resolveAddress({ kind: "fanOut", field: "f", merge }, {})).toEqual({ kind: "fanOut", field: "f", merge });
    expect(resolveAddress({ kind: "worker" }, {})).toEqual({ kind: "worker" });
  });

  it("names its object without the rest of the target", () => {
    expect(objectOf({ kind: "root" }, {})).toBe(ROOT_OBJECT);
    expect(objectOf(byChannel, { channelId: "general" }, "general")).toBe(general.name);
    expect(objectOf(byId, { id })).toBe(general.name);
    expect(objectOf({ kind: "fanOut", field: "f", merge: { kind: "sum" } }, {})).toBeUndefined();
    expect(objectOf({ kind: "worker" }, {})).toBeUndefined();
    expect(() => objectOf(byChannel, { channelId: "general" }, "random")).toThrow(
      expect.objectContaining({ code: "SHARD_MISMATCH" }),
    );
  });

  it("says which argument names no shard, and what it is instead", () => {
    expect(() => objectOf(byChannel, {})).toThrow(/`channelId` .* not this undefined$/);
    expect(() => objectOf(byChannel, { channelId: null })).toThrow(/not this null$/);
    expect(() => objectOf(byId, { id: mintId(new Uint8Array(16)) })).toThrow(/`id` is no id of `messages`/);
  });

  it("takes an explicit shard key only when it agrees", () => {
    const mismatch = expect.objectContaining({ code: "SHARD_MISMATCH", status: 400 });
    expect(resolveAddress(byChannel, { channelId: "general" }, "general")).toEqual(general);
    expect(resolveAddress(byId, { id }, "general")).toEqual(general);
    expect(resolveAddress({ kind: "root" }, {}, ROOT_OBJECT)).toMatchObject({ name: ROOT_OBJECT });
    expect(() => resolveAddress(byChannel, { channelId: "general" }, "random")).toThrow(mismatch);
    expect(() => resolveAddress(byChannel, { channelId: "general" }, "channelId=general")).toThrow(mismatch);
    expect(() => resolveAddress({ kind: "root" }, {}, "general")).toThrow(mismatch);
    expect(() => resolveAddress({ kind: "worker" }, {}, "general")).toThrow(mismatch);
    expect(() => resolveAddress({ kind: "fanOut", field: "f", merge: { kind: "first" } }, {}, "a")).toThrow(mismatch);
  });

  it.each([
    [byChannel, {}],
    [byChannel, { channelId: null }],
    [byChannel, { channelId: ["general"] }],
    [byChannel, { channelId: "" }],
    [byId, {}],
    [byId, { id: 7 }],
    [byId, { id: mintId(new Uint8Array(16)) }],
    [byId, { id: "x.@" }],
    [{ kind: "argument", argument: "toString", field: "f" } as const, {}],
  ])("refuses %j with %j", (address, args) => {
    expect(() => resolveAddress(address, args)).toThrow(badRequest);
  });
});
