import { LunoraError } from "@lunora/errors";
import { decodeValue } from "@lunora/protocol";
import type { Identity } from "@lunora/server";

import type { Fields } from "../arguments.ts";

function refuse(name: string, wanted: string): never {
  throw new LunoraError("BAD_REQUEST", `\`${name}\` has to be ${wanted}`);
}

/** A whole number within bounds; `otherwise` when it is left out. */
export function wholeNumber(fields: Fields, name: string, otherwise: number, least: number, most: number): number {
  const value = fields[name] ?? otherwise;
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return value as number;
  return refuse(name, `a whole number from ${least} to ${most}`);
}

/** A position of the op-log; `undefined` when it is left out. */
export function position(fields: Fields, name: string): number | undefined {
  if (fields[name] === undefined || fields[name] === null) return undefined;
  return wholeNumber(fields, name, 0, 0, Number.MAX_SAFE_INTEGER);
}

/** A text that may be left out, which `null` says as well. */
export function optionalText(fields: Fields, name: string): string | undefined {
  const value = fields[name] ?? undefined;
  if (value === undefined || (typeof value === "string" && value !== "" && value.length <= 4_096)) return value;
  return refuse(name, "a text of 1 to 4096 characters");
}

export function choice<Name extends string>(fields: Fields, name: string, names: readonly Name[]): Name | undefined {
  const value = optionalText(fields, name);
  const found = names.find((candidate) => candidate === value);
  if (value !== undefined && found === undefined) refuse(name, `one of ${names.join(", ")}`);
  return found;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A wire-encoded object, decoded; `undefined` when it is left out. */
export function wireObject(fields: Fields, name: string): Readonly<Record<string, unknown>> | undefined {
  if (fields[name] === undefined || fields[name] === null) return undefined;
  const value = isObject(fields[name]) ? decodeValue(fields[name]) : undefined;
  return isObject(value) ? value : refuse(name, "an object");
}

/** Who is asked for: wire-encoded claims with a `userId`, or `null`, and nothing at all, for nobody. */
export function identityIn(fields: Fields): Identity | null {
  const identity = wireObject(fields, "identity");
  if (identity === undefined) return null;
  const { userId } = identity;
  if (typeof userId === "string" && userId !== "") return identity as unknown as Identity;
  return refuse("identity", "null, or claims with a `userId` that is not empty");
}
