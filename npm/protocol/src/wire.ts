import { LunoraError } from "@lunora/errors";

/** First element of every tagged array. */
export const WIRE_TAG = "$lunora.wire$";

/** Deepest nesting of arrays, objects, maps, sets and error causes. */
export const MAX_WIRE_DEPTH = 64;

/** The depth inside a container at this depth. Throws `WIRE_TOO_DEEP` beyond {@link MAX_WIRE_DEPTH}. */
export function enter(depth: number): number {
  if (depth < MAX_WIRE_DEPTH) return depth + 1;
  throw new LunoraError("WIRE_TOO_DEEP", `A value has more than ${MAX_WIRE_DEPTH} levels, or refers to itself`);
}

/** Longest bigint, decimal digits. */
export const MAX_BIGINT_DIGITS = 1024;

/** Sets a field as data: `__proto__` must not reach the setter that JavaScript has under that name. */
export function setField(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__") {
    Object.defineProperty(target, key, { value, configurable: true, enumerable: true, writable: true });
  } else {
    target[key] = value;
  }
}

/** What of an error travels in places of its own, or not at all. */
export const ERROR_FIELDS: ReadonlySet<string> = new Set(["name", "message", "stack", "cause"]);
