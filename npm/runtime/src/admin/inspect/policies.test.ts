import type { FunctionRegistry, FunctionRegistryFile, ShapeRegistry } from "@lunora/server";
import { definePolicies, definePolicy, initLunora, rls } from "@lunora/server";
import { describe, expect, test } from "vitest";

import type { RouteScope } from "../../route.ts";
import { importModules } from "./import-modules.ts";
import { listPolicies } from "./policies.ts";

const policies = definePolicies([
  definePolicy({ table: "notes", on: "read", when: () => ({ owner: "ann" }) } as never),
] as never);
const { query } = initLunora.dataModel<never>().create();
const guarded = query.use(rls(policies) as never).query(async () => null);

/** As generated: a file is the import of its module, and its exports. */
function file(module: FunctionRegistryFile[0], exports: readonly string[]): FunctionRegistryFile {
  const entries = exports.map((name) => [name, ["query", "public", { kind: "root" }]]);
  return [module, JSON.stringify(Object.fromEntries(entries))];
}

const asked = (functions: FunctionRegistry, shapes: ShapeRegistry = {}): Promise<unknown> =>
  listPolicies({ definition: { functions, shapes } } as RouteScope);

describe("policies of an app of 1,000 files", () => {
  test("each module is imported once, and others have their turns meanwhile", async () => {
    let imports = 0;
    let turns = 0;
    const functions = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, index) => [
        `file${index}`,
        file(async () => {
          imports += 1;
          return { one: guarded, two: guarded };
        }, ["one", "two"]),
      ]),
    );
    let timer = setTimeout(tick, 0);
    function tick(): void {
      turns += 1;
      timer = setTimeout(tick, 0);
    }
    const answer = (await asked(functions)) as { policies: { functions: string[] }[] };
    clearTimeout(timer);
    expect(answer.policies).toHaveLength(1);
    expect(answer.policies[0]?.functions).toHaveLength(2_000);
    expect(imports).toBe(1_000);
    expect(turns).toBeGreaterThan(20);
  });

  test("what cannot be imported is named by each of its functions, and the rest is told", async () => {
    const answer = await asked({
      broken: file(async () => {
        throw new Error("no such module");
      }, ["one", "two"]),
      good: file(async () => ({ one: guarded }), ["one"]),
    });
    expect(answer).toEqual({
      policies: [{ table: "notes", on: "read", functions: ["good:one"], shapes: [] }],
      unread: [
        { name: "broken:one", error: "no such module" },
        { name: "broken:two", error: "no such module" },
      ],
    });
  });
});

test("a module that never settles keeps nobody waiting for ever", async () => {
  const never = (): Promise<never> => new Promise(() => {});
  const good = async (): Promise<Record<string, unknown>> => ({});
  const modules = await importModules([never, good], 1);
  expect(modules.get(never)?.error).toContain("not imported within 1 ms");
  expect(modules.get(good)).toEqual({ exports: {} });
});
