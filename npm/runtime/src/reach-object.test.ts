import { describe, expect, test } from "vitest";

import { reachObject } from "./reach-object.ts";

/** Counts what is asked of the namespace that is not restricted. */
function namespace(extra: object = {}): { asked: number; idFromName(name: string): string; get(id: string): string } {
  return {
    asked: 0,
    idFromName(name) {
      this.asked += 1;
      return `id of ${name}`;
    },
    get: (id) => `stub of ${id}`,
    ...extra,
  };
}

const schema = { tables: {} };
const pinned = { tables: {}, pinnedJurisdiction: "eu" as const };

describe("reachObject", () => {
  test("takes the namespace's way to an object by name", () => {
    expect(reachObject(schema, { SHARD: namespace() }, "SHARD", "a")).toBe("stub of id of a");
    expect(
      reachObject(schema, { SHARD: namespace({ getByName: (name: string) => `by name ${name}` }) }, "SHARD", "a"),
    ).toBe("by name a");
  });

  test("without the binding says which one", () => {
    for (const SHARD of [undefined, null, "text", {}, { idFromName: 1 }]) {
      expect(() => reachObject(schema, { SHARD }, "SHARD", "a")).toThrow(
        expect.objectContaining({ code: "SHARD_UNAVAILABLE", message: expect.stringContaining("`SHARD`") }),
      );
    }
  });

  test("with a jurisdiction reaches only through the restricted namespace", () => {
    const inner = namespace();
    const outer = namespace({ jurisdiction: (name: string) => (name === "eu" ? inner : undefined) });
    expect(reachObject(pinned, { SHARD: outer }, "SHARD", "a")).toBe("stub of id of a");
    expect([outer.asked, inner.asked]).toEqual([0, 1]);
  });

  test.each([
    ["no method", {}],
    [
      "a method that throws",
      {
        jurisdiction: () => {
          throw new Error("not implemented");
        },
      },
    ],
    ["a method that returns nothing", { jurisdiction: () => undefined }],
    ["a method that returns a promise", { jurisdiction: () => Promise.resolve(namespace()) }],
    [
      "a method that returns itself",
      {
        jurisdiction(this: object) {
          return this;
        },
      },
    ],
    ["no function", { jurisdiction: "eu" }],
  ])("%s refuses, and the unrestricted namespace is not asked", (_, extra) => {
    const outer = namespace(extra);
    expect(() => reachObject(pinned, { SHARD: outer }, "SHARD", "a")).toThrow(
      expect.objectContaining({ code: "JURISDICTION_UNAVAILABLE" }),
    );
    expect(outer.asked).toBe(0);
  });
});
