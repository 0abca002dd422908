import { LunoraError } from "@lunora/errors";

import type { Identity } from "./context.ts";
import type { PolicyAuth, PolicyDefinition, RoleDefinition } from "./define-policy.ts";
import type { PolicyCondition, PolicyFacts, PolicyRules } from "./policy-condition.ts";

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

/** See `PolicyRules.ask`. */
export function asking(policies: readonly PolicyDefinition[], roles: readonly RoleDefinition[]): PolicyRules["ask"] {
  return async (table, on, facts, row) => {
    const conditions: Readonly<Record<string, unknown>>[] = [];
    const auth = authOf(roles, facts);
    for (const policy of policies) {
      if (policy.table !== table || policy.on !== on) continue;
      const answer = check(policy, await policy.when({ auth, ctx: { db: facts.db }, row }));
      if (answer === false) return false;
      if (answer !== true && answer !== undefined) conditions.push(answer);
    }
    return conditions;
  };
}
