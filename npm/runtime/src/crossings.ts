import type { Environment, SchemaDefinition } from "@lunora/server";

/**
 * What of a pinned app runs or lies outside its jurisdiction by design: actions in the Worker, rows of global tables,
 * inbound mail that the app hands to objects elsewhere.
 */
export type CrossingKind = "action" | "globalTable" | "mail";

/** How often something went over the boundary. */
export interface Crossing {
  readonly kind: CrossingKind;
  /** The function's path, or the table. */
  readonly name: string;
  readonly count: number;
}

/** By environment, for the life of the isolate. */
const counters = new WeakMap<Environment, Map<string, { kind: CrossingKind; name: string; count: number }>>();

/** Counts one crossing; an app that is not pinned has no boundary. */
export function countCrossing(schema: SchemaDefinition, env: Environment, kind: CrossingKind, name: string): void {
  if (schema.pinnedJurisdiction === undefined) return;
  let ofEnvironment = counters.get(env);
  if (ofEnvironment === undefined) counters.set(env, (ofEnvironment = new Map()));
  const key = `${kind} ${name}`;
  const counter = ofEnvironment.get(key);
  if (counter === undefined) ofEnvironment.set(key, { kind, name, count: 1 });
  else counter.count += 1;
}

/** What went over the boundary in this isolate since it began, in the order of kinds and names. */
export function crossingsOf(env: Environment): Crossing[] {
  return [...(counters.get(env) ?? [])]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([, one]) => ({ ...one }));
}
