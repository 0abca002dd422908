import { LunoraError } from "@lunora/errors";

import type { Identity } from "./context.ts";
import type { PolicyAuth, PolicyDefinition, PolicyOperation, RoleDefinition } from "./define-policy.ts";

/** What one `rls(policies, { roles })` brings. */
export interface PolicyRules {
  readonly policies: readonly PolicyDefinition[];
  readonly roles: readonly RoleDefinition[];
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

function rolesOf(identity: Identity | null): readonly string[] {
  const claim: unknown = identity !== null && Object.hasOwn(identity, "roles") ? identity["roles"] : undefined;
  return Array.isArray(claim) ? claim.filter((role) => typeof role === "string") : [];
}

function authOf(roles: readonly RoleDefinition[], { identity }: PolicyFacts): PolicyAuth {
  return {
    get userId() {
      return identity()?.userId ?? null;
    },
    get identity() {
      return identity();
    },
    get roles() {
      return rolesOf(identity());
    },
    can({ permission }) {
      const own = rolesOf(identity());
      return roles.some(
        ({ role, permissions }) =>
          own.includes(role) && permissions.some((candidate) => candidate.permission === permission),
      );
    },
  };
}

function isCondition(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * `undefined` is what a missing claim looks like. In a `where` it matches nothing, and under `NOT` everything:
 * a policy says so aloud.
 */
function hasHole(value: unknown): boolean {
  if (value === undefined) return true;
  if (Array.isArray(value)) return value.some(hasHole);
  return isCondition(value) && Object.values(value).some(hasHole);
}

/** Equal to nothing. */
const NO_VALUE = { in: [] };

/**
 * The condition with every `null` that a column is to be equal to made into what nothing is equal to. Nobody's
 * user id is `null`, and rows that are nobody's must not be everybody's. Who wants them says `isNull`, or
 * names `null` in a list.
 */
export function withoutNull(condition: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(condition).map(([key, value]) => [key, valueWithoutNull(key, value)]));
}

function valueWithoutNull(key: string, value: unknown): unknown {
  if (key === "AND" || key === "OR")
    return Array.isArray(value) ? value.map((part: unknown) => (isCondition(part) ? withoutNull(part) : part)) : value;
  if (key === "NOT") return isCondition(value) ? withoutNull(value) : value;
  if (value === null) return NO_VALUE;
  if (!isCondition(value) || value["eq"] !== null) return value;
  const { eq: _, ...rest } = value;
  return { ...rest, ...NO_VALUE };
}

function check({ table, on }: PolicyDefinition, answer: unknown): PolicyCondition | true {
  if (typeof answer === "boolean") return answer;
  if (isCondition(answer) && !hasHole(answer)) return withoutNull(answer);
  const what =
    answer === undefined
      ? "nothing"
      : isCondition(answer)
        ? "a condition with `undefined` in it"
        : `what is neither a condition nor a boolean`;
  throw new LunoraError(
    "INTERNAL",
    `The policy of \`${table}\` for \`${on}\` answered ${what}: answer \`true\`, \`false\` or a complete condition`,
  );
}

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
  for (const { policies, roles } of rules) {
    const auth = authOf(roles, facts);
    for (const policy of policies) {
      if (policy.table !== table || policy.on !== on) continue;
      const answer = check(policy, await policy.when({ auth, ctx: { db: facts.db }, row }));
      if (answer === false) return false;
      if (answer !== true && answer !== undefined) conditions.push(answer);
    }
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
