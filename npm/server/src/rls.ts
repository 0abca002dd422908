import { LunoraError } from "@lunora/errors";

import { asking } from "./ask-policies.ts";
import type { PolicyDefinition, RoleDefinition } from "./define-policy.ts";
import type { Middleware } from "./middleware.ts";
import type { PolicyRules } from "./policy-condition.ts";

/** Method of `ctx.db` that answers the same database under more rules. */
export const RESTRICT = "~restrict";

/** A `ctx.db` that can be put under rules. */
export interface RestrictableDatabase {
  [RESTRICT](rules: PolicyRules): object;
}

/** What `rls` returns: a middleware that carries its rules, for what runs no middleware. */
export interface RlsMiddleware extends Middleware<{ readonly db: object }> {
  readonly rules: PolicyRules;
}

/**
 * Puts `ctx.db` of a function under policies, for everything that follows in its chain. Rows that
 * no read policy allows are not there: not in lists, counts and relations, and `get` is `null`.
 * Writes that a policy refuses throw `FORBIDDEN`, and so do changes of rows that may not be read.
 * Triggers and cascades of a write that is allowed run without policies.
 *
 * A function that is called with `ctx.run*` has its own chain, and with it its own policies.
 */
export function rls(
  policies: readonly PolicyDefinition[],
  options: { readonly roles?: readonly RoleDefinition[] } = {},
): RlsMiddleware {
  const own = [...policies];
  const roles = options.roles ?? [];
  const rules: PolicyRules = { policies: own, roles, ask: asking(own, roles) };
  const middleware: Middleware<{ readonly db: object }> = async ({ ctx, next }) => {
    if (typeof ctx.db !== "object" || !(RESTRICT in ctx.db)) {
      throw new LunoraError("INTERNAL", "`rls` needs the `ctx.db` of a query or mutation: it cannot guard an action");
    }
    return next({ ctx: { db: (ctx.db as RestrictableDatabase)[RESTRICT](rules) } });
  };
  return Object.assign(middleware, { rules });
}

/** The rules of a middleware that `rls` made. */
export function rulesOf(middleware: unknown): PolicyRules | undefined {
  return typeof middleware === "function" && "rules" in middleware ? (middleware as RlsMiddleware).rules : undefined;
}
