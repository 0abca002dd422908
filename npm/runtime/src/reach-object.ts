import type { Environment, SchemaDefinition } from "@lunora/server";

import { namespaceOf } from "./namespace.ts";
import { observer } from "./observer.ts";

/**
 * The stub of an object. Every object, by whomever, is reached through here, so that there is one
 * place where it is decided which jurisdiction it is in.
 */
export function reachObject<Methods>(
  schema: SchemaDefinition,
  env: Environment,
  binding: string,
  name: string,
): Methods {
  const { pinnedJurisdiction } = schema;
  const namespace = namespaceOf(env, binding, pinnedJurisdiction);
  return (observer()?.faults.unreachable(pinnedJurisdiction) ??
    (typeof namespace.getByName === "function"
      ? namespace.getByName(name)
      : namespace.get(namespace.idFromName(name)))) as Methods;
}
