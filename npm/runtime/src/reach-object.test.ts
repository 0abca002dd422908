import { describe, expect, test } from "vitest";

import { reachObject } from "./reach-object.ts";

/** Counts the objects that are reached. */
function namespace(extra: object = {}): { reached: number; idFromName(name: string): string; get(id: string): string } {
  return {
    reached: 0,
    idFromName: (name) => `id of ${name}`,
    get(id) {
      this.reached += 1;
      return `stub of ${id}`;
    },
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
    const inner = {
      ...namespace(),
      get: (id: string) => `restricted stub of ${id}`,
      idFromName: (name: string) => `eu ${name}`,
    };
    const outer = namespace({ jurisdiction: (name: string) => (name === "eu" ? inner : undefined) });
    expect(reachObject(pinned, { SHARD: outer }, "SHARD", "a")).toBe("restricted stub of eu a");
    expect(outer.reached).toBe(0);
  });

  test("proves a namespace once for an environment, and again for another one or another namespace", () => {
    let proofs = 0;
    const inner = { ...namespace(), idFromName: (name: string) => `eu ${name}` };
    const outer = (): object => namespace({ jurisdiction: () => ((proofs += 1), inner) });
    const env = { SHARD: outer(), OTHER: outer() };
    for (let round = 0; round < 3; round += 1) reachObject(pinned, env, "SHARD", `${round}`);
    expect(proofs).toBe(1);
    reachObject(pinned, env, "OTHER", "a");
    expect(proofs).toBe(2);
    reachObject({ tables: {}, pinnedJurisdiction: "us" }, env, "SHARD", "a");
    expect(proofs).toBe(3);
    env.SHARD = outer();
    reachObject(pinned, env, "SHARD", "a");
    reachObject(pinned, { ...env }, "SHARD", "a");
    expect(proofs).toBe(5);
  });

  test("a refusal is not kept", () => {
    let works = false;
    const inner = { ...namespace(), idFromName: (name: string) => `eu ${name}` };
    const env = { SHARD: namespace({ jurisdiction: () => (works ? inner : undefined) }) };
    expect(() => reachObject(pinned, env, "SHARD", "a")).toThrow(/JURISDICTION_UNAVAILABLE|cannot be restricted/);
    works = true;
    expect(reachObject(pinned, env, "SHARD", "a")).toBe("stub of eu a");
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
    ["a method that returns the same objects behind another face", { jurisdiction: () => namespace() }],
    [
      "a method that returns a namespace that names nothing",
      {
        jurisdiction: () => ({
          ...namespace(),
          idFromName: () => {
            throw new Error("no");
          },
        }),
      },
    ],
    ["no function", { jurisdiction: "eu" }],
  ])("%s refuses, and the unrestricted namespace is not asked", (_, extra) => {
    const outer = namespace(extra);
    expect(() => reachObject(pinned, { SHARD: outer }, "SHARD", "a")).toThrow(
      expect.objectContaining({ code: "JURISDICTION_UNAVAILABLE" }),
    );
    expect(outer.reached).toBe(0);
  });
});
