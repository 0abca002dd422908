import { describe, expect, it } from "vitest";

import type { FunctionRegistry } from "./definition.ts";
import { everyFunction, findFunction } from "./find-function.ts";

const module = async (): Promise<Record<string, unknown>> => ({});
const list = { kind: "query", visibility: "public", address: { kind: "root" }, module, exportName: "list" } as const;
const registry: FunctionRegistry = {
  "direct:list": list,
  "folder/messages": [
    module,
    '{"list":["query","public",{"kind":"root"}],"__proto__":["mutation","internal",{"kind":"worker"}]}',
  ],
};

describe("a function", () => {
  it("is listed once, with its path", () => {
    expect(everyFunction(registry)).toEqual(
      ["direct:list", "folder/messages:list", "folder/messages:__proto__"].map((path) => [
        path,
        findFunction(registry, path),
      ]),
    );
  });

  it("is found by itself, and in its file", () => {
    expect(findFunction(registry, "direct:list")).toBe(list);
    expect(findFunction(registry, "folder/messages:list")).toEqual(list);
    expect(findFunction(registry, "folder/messages:list")).toBe(findFunction(registry, "folder/messages:list"));
    expect(findFunction(registry, "folder/messages:__proto__")).toMatchObject({
      kind: "mutation",
      visibility: "internal",
    });
  });

  it.each([
    "",
    ":",
    "folder/messages",
    "folder/messages:",
    "folder/messages:none",
    "direct",
    "direct:none",
    "list",
    "__proto__:list",
    "constructor",
    "folder/messages:list:list",
    "folder/messages:toString",
  ])("is not found by `%s`", (path) => {
    expect(findFunction(registry, path)).toBeUndefined();
  });
});
