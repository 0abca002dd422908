import { LunoraError } from "@lunora/errors";
import type { Environment } from "@lunora/server";

/** As much of a namespace of Durable Objects as reaching one by name needs. */
export interface Namespace {
  jurisdiction?: (jurisdiction: string) => unknown;
  getByName?: (name: string) => unknown;
  idFromName(name: string): unknown;
  get(id: unknown): unknown;
}

/** Named in both namespaces to tell them apart. Naming is arithmetic: no object is reached or made. */
const PROBE = "__lunora_probe__";

/** The restricted namespace of a binding, kept with what it was made of. */
interface Restricted {
  readonly from: Namespace;
  readonly jurisdiction: string;
  readonly namespace: Namespace;
}

/** By environment and binding, for the life of the isolate. */
const restrictions = new WeakMap<Environment, Map<string, Restricted>>();

function isNamespace(value: unknown): value is Namespace {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as Namespace).idFromName === "function" &&
    typeof (value as Namespace).get === "function"
  );
}

/** The id of the probe; `undefined` where the namespace names nothing, which makes it no other's equal. */
function probed(namespace: Namespace): string | undefined {
  try {
    return String(namespace.idFromName(PROBE));
  } catch {
    return undefined;
  }
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
  if (typeof (restricted as { then?: unknown } | undefined | null)?.then === "function")
    return refuse("the platform returned a promise");
  if (!isNamespace(restricted)) return refuse("the platform returned no namespace");
  const id = probed(restricted);
  if (id === undefined) return refuse("the restricted namespace names no objects");
  // Another wrapper around the same objects: a name would mean the object outside.
  if (id === probed(namespace)) return refuse("the platform returned the unrestricted namespace under another face");
  return restricted;
}

/**
 * The namespace of a binding, restricted where the schema names a jurisdiction. Proven once for each environment and
 * binding, so that calls pay nothing for it; a refusal is not kept.
 *
 * @throws LunoraError `SHARD_UNAVAILABLE` without the binding, `JURISDICTION_UNAVAILABLE` where it cannot be restricted.
 */
export function namespaceOf(env: Environment, binding: string, jurisdiction: string | undefined): Namespace {
  const namespace = env[binding];
  if (!isNamespace(namespace)) {
    throw new LunoraError("SHARD_UNAVAILABLE", `the Worker has no binding \`${binding}\` to Durable Objects`, {
      hint: `Bind the class in \`wrangler.jsonc\` under \`durable_objects\` as \`${binding}\`.`,
    });
  }
  if (jurisdiction === undefined) return namespace;
  let kept = restrictions.get(env);
  if (kept === undefined) restrictions.set(env, (kept = new Map()));
  const before = kept.get(binding);
  if (before !== undefined && before.from === namespace && before.jurisdiction === jurisdiction)
    return before.namespace;
  const restricted = restrict(namespace, jurisdiction, binding);
  kept.set(binding, { from: namespace, jurisdiction, namespace: restricted });
  return restricted;
}
