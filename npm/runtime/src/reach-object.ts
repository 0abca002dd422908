import { LunoraError } from "@lunora/errors";
import type { Environment, SchemaDefinition } from "@lunora/server";

/** As much of a namespace of Durable Objects as reaching one by name needs. */
interface Namespace {
  jurisdiction?: (jurisdiction: string) => unknown;
  getByName?: (name: string) => unknown;
  idFromName(name: string): unknown;
  get(id: unknown): unknown;
}

function isNamespace(value: unknown): value is Namespace {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as Namespace).idFromName === "function" &&
    typeof (value as Namespace).get === "function"
  );
}

/**
 * The namespace restricted to a jurisdiction. Anything that is not surely restricted is refused:
 * an object outside the jurisdiction is worse than none.
 */
function restrict(namespace: Namespace, jurisdiction: string, binding: string): Namespace {
  const refuse = (why: string, cause?: unknown): never => {
    throw new LunoraError(
      "JURISDICTION_UNAVAILABLE",
      `\`${binding}\` cannot be restricted to the jurisdiction \`${jurisdiction}\`: ${why}`,
      { cause },
    );
  };
  if (typeof namespace.jurisdiction !== "function") return refuse("its namespace has no `jurisdiction` method");
  let restricted: unknown;
  try {
    restricted = namespace.jurisdiction(jurisdiction);
  } catch (error) {
    return refuse("the platform refused", error);
  }
  if (restricted === namespace) return refuse("the platform returned the unrestricted namespace");
  if (!isNamespace(restricted)) return refuse("the platform returned no namespace");
  return restricted;
}

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
  const namespace = env[binding];
  if (!isNamespace(namespace)) {
    throw new LunoraError("SHARD_UNAVAILABLE", `the Worker has no binding \`${binding}\` to Durable Objects`, {
      hint: `Bind the class in \`wrangler.jsonc\` under \`durable_objects\` as \`${binding}\`.`,
    });
  }
  const { pinnedJurisdiction: jurisdiction } = schema;
  const chosen = jurisdiction === undefined ? namespace : restrict(namespace, jurisdiction, binding);
  return (
    typeof chosen.getByName === "function" ? chosen.getByName(name) : chosen.get(chosen.idFromName(name))
  ) as Methods;
}
