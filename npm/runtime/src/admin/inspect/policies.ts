import { everyFunction, rulesOf } from "@lunora/server";
import type { PolicyDefinition, PolicyOperation } from "@lunora/server";

import type { RouteScope } from "../../route.ts";
import { importModules } from "./import-modules.ts";
import type { ImportedModule, LoadModule } from "./import-modules.ts";

/** A policy, and who asks it. */
interface PolicyUse {
  readonly table: string;
  readonly on: PolicyOperation;
  /** Paths of functions. */
  readonly functions: string[];
  /** Names of shapes. */
  readonly shapes: string[];
}

/** Something whose module could not be imported. */
interface Unread {
  readonly name: string;
  readonly error: string;
}

/** A function or shape, and the policies that it asks. */
interface Guarded {
  readonly of: "functions" | "shapes";
  readonly name: string;
  readonly policies: readonly PolicyDefinition[];
}

type Entry = { readonly module: LoadModule; readonly exportName: string };
type Registration = { readonly middleware?: readonly unknown[]; readonly use?: readonly unknown[] } | undefined;

function read(of: Guarded["of"], name: string, { exportName }: Entry, imported: ImportedModule): Guarded | Unread {
  if (imported.error !== undefined) return { name, error: imported.error };
  const registered = imported.exports[exportName] as Registration;
  const guards = registered?.middleware ?? registered?.use ?? [];
  return { of, name, policies: guards.flatMap((guard) => rulesOf(guard)?.policies ?? []) };
}

/**
 * Which tables have policies, for what, and in which functions and shapes. Policies are values of the app's modules, so all of
 * them are imported, a few at a time; those that cannot be are named.
 */
export async function listPolicies({ definition }: RouteScope): Promise<unknown> {
  const { functions, shapes = {} } = definition;
  const declared: readonly (readonly [Guarded["of"], string, Entry])[] = [
    ...everyFunction(functions).map(([path, entry]) => ["functions", path, entry] as const),
    ...Object.entries(shapes).map(([name, entry]) => ["shapes", name, entry] as const),
  ];
  const modules = await importModules(declared.map(([, , { module }]) => module));
  const answers = declared.map(([of, name, entry]) => {
    const answer = read(of, name, entry, modules.get(entry.module) as ImportedModule);
    if (of === "functions" || "error" in answer) return answer;
    // Of its guards' policies a shape asks those for reading its own table.
    const own = answer.policies.filter(({ table, on }) => table === shapes[name]?.table && on === "read");
    return { ...answer, policies: own };
  });
  const uses = new Map<string, PolicyUse>();
  const unread: Unread[] = [];
  for (const answer of answers) {
    if ("error" in answer) {
      unread.push(answer);
      continue;
    }
    for (const { table, on } of answer.policies) {
      const key = JSON.stringify([table, on]);
      const use = uses.get(key) ?? { table, on, functions: [], shapes: [] };
      uses.set(key, use);
      if (use[answer.of].at(-1) !== answer.name) use[answer.of].push(answer.name);
    }
  }
  return { policies: [...uses.values()], unread };
}
