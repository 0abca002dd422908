import { CodedError } from "@lunora/errors";

/** First element of every tagged array. */
export const WIRE_TAG = "$lunora.wire$";

/** Deepest nesting of arrays, objects, maps, sets and error causes. */
export const MAX_WIRE_DEPTH = 64;

/** The depth inside a container at this depth. Throws `WIRE_TOO_DEEP` beyond {@link MAX_WIRE_DEPTH}. */
export function enter(depth: number): number {
  if (depth < MAX_WIRE_DEPTH) return depth + 1;
  throw new CodedError("WIRE_TOO_DEEP", 400, `More than ${MAX_WIRE_DEPTH} levels`);
}

/** Longest bigint, decimal digits. */
export const MAX_BIGINT_DIGITS = 1024;

/**
 * The fields with those from `changedAt` on recoded, `changed` being the first of them. Keys are data, `__proto__`
 * among them: what a spread has made an own field stays one when it is set.
 */
export function copyFields(
  fields: Record<string, unknown>,
  keys: readonly string[],
  changedAt: number,
  changed: unknown,
  recode: (value: unknown, depth: number) => unknown,
  depth: number,
): Record<string, unknown> {
  const copy = { ...fields };
  for (let index = changedAt; index < keys.length; index++) {
    const key = keys[index] as string;
    const value = index === changedAt ? changed : recode(fields[key], depth);
    if (value === undefined) delete copy[key];
    else copy[key] = value;
  }
  return copy;
}
