import type { Identity } from "./context.ts";
import type { PolicyDefinition, PolicyOperation, RoleDefinition } from "./define-policy.ts";

/** What one `rls(policies, { roles })` brings. */
export interface PolicyRules {
  readonly policies: readonly PolicyDefinition[];
  readonly roles: readonly RoleDefinition[];
  /**
   * What its policies of the table for the operation demand; `false`: one of them allows no row. Rejects with what a
   * policy throws, and with `INTERNAL` for an answer that is none. `row` is the row that is written. Comes with `rls`, so
   * that an app without policies does not carry it.
   */
  ask(
    table: string,
    on: PolicyOperation,
    facts: PolicyFacts,
    row: object | undefined,
  ): Promise<readonly Readonly<Record<string, unknown>>[] | false>;
}

/** Who asks, and what policies read with. */
export interface PolicyFacts {
  /** Asked when a policy looks at who calls, not before: what never looks is the same for all callers. */
  readonly identity: () => Identity | null;
  /** `ctx.db` of policies: reads only, and not under policies itself. */
  readonly db: object;
}

/** A condition as `where` of `findMany`; `false`: no row; `undefined`: every row. */
export type PolicyCondition = Readonly<Record<string, unknown>> | false | undefined;

/** Whether there is a policy at all for the operation. */
export function hasPolicy(rules: readonly PolicyRules[], table: string, on: PolicyOperation): boolean {
  return rules.some(({ policies }) => policies.some((policy) => policy.table === table && policy.on === on));
}

/**
 * What all policies of a table together allow. Rejects with what a policy throws, and with
 * `INTERNAL` for an answer that is none. `row` is the row that is written.
 */
export async function policyCondition(
  rules: readonly PolicyRules[],
  table: string,
  on: PolicyOperation,
  facts: PolicyFacts,
  row?: object,
): Promise<PolicyCondition> {
  const conditions: Readonly<Record<string, unknown>>[] = [];
  for (const one of rules) {
    const own = await one.ask(table, on, facts, row);
    if (own === false) return false;
    conditions.push(...own);
  }
  return conditions.length < 2 ? conditions[0] : { AND: conditions };
}

/** The rows of a table that may be read: {@link policyCondition} of its read policies. */
export function effectiveReadWhere(
  rules: readonly PolicyRules[],
  table: string,
  facts: PolicyFacts,
): Promise<PolicyCondition> {
  return policyCondition(rules, table, "read", facts);
}
