import { everyFunction, rulesOf } from "@lunora/server";
import type { PolicyDefinition, PolicyOperation } from "@lunora/server";

import type { RouteScope } from "../../route.ts";

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

type Entry = { readonly module: () => Promise<Record<string, unknown>>; readonly exportName: string };
type Registration = { readonly middleware?: readonly unknown[]; readonly use?: readonly unknown[] } | undefined;

async function read(of: Guarded["of"], name: string, { module, exportName }: Entry): Promise<Guarded | Unread> {
  try {
    const registered = (await module())[exportName] as Registration;
    const guards = registered?.middleware ?? registered?.use ?? [];
    return { of, name, policies: guards.flatMap((guard) => rulesOf(guard)?.policies ?? []) };
  } catch (error) {
    return { name, error: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * Which tables have policies, for what, and in which functions and shapes. Policies are values of the app's modules, so all of
 * them are imported; those that cannot be are named.
 */
export async function listPolicies({ definition }: RouteScope): Promise<unknown> {
  const { functions, shapes = {} } = definition;
  const answers = await Promise.all([
    ...everyFunction(functions).map(([path, entry]) => read("functions", path, entry)),
    ...Object.entries(shapes).map(async ([name, entry]) => {
      const answer = await read("shapes", name, entry);
      if ("error" in answer) return answer;
      // Of its guards' policies a shape asks those for reading its own table.
      const policies = answer.policies.filter(({ table, on }) => table === entry.table && on === "read");
      return { ...answer, policies };
    }),
  ]);
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
      if (!use[answer.of].includes(answer.name)) use[answer.of].push(answer.name);
    }
  }
  return { policies: [...uses.values()], unread };
}
