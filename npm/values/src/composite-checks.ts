import { Failure } from "./failure.ts";
import type { Check } from "./failure.ts";
import { isPlainObject, setField } from "./own-field.ts";
import type { AnyValidator, ValidatorMap } from "./validator.ts";

/** Declared fields in their order; anything else is dropped. */
export function fieldsCheck(fields: ValidatorMap): Check {
  const keys = Object.keys(fields);
  const checks = keys.map((key) => (fields[key] as AnyValidator)["~check"]);
  // Only these can be seen on an object that does not have them itself.
  const inherited = keys.map((key) => key in Object.prototype);
  return (value) => {
    if (!isPlainObject(value)) return Failure.of("object", value);
    const output: Record<string, unknown> = {};
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index] as string;
      const field = inherited[index] && !Object.hasOwn(value, key) ? undefined : value[key];
      const parsed = (checks[index] as Check)(field);
      if (parsed instanceof Failure) return parsed.at(key);
      if (parsed !== undefined) setField(output, key, parsed);
    }
    return output;
  };
}

export function arrayCheck(item: AnyValidator): Check {
  const check = item["~check"];
  return (value) => {
    if (!Array.isArray(value)) return Failure.of("array", value);
    const output: unknown[] = [];
    for (let index = 0; index < value.length; index++) {
      const parsed = check(value[index]);
      if (parsed instanceof Failure) return parsed.at(index);
      output.push(parsed);
    }
    return output;
  };
}

export function recordCheck(keyValidator: AnyValidator, valueValidator: AnyValidator): Check {
  const checkKey = keyValidator["~check"];
  const checkValue = valueValidator["~check"];
  return (value) => {
    if (!isPlainObject(value)) return Failure.of("object", value);
    const output: Record<string, unknown> = {};
    for (const key of Object.keys(value)) {
      const parsedKey = checkKey(key);
      if (parsedKey instanceof Failure) return parsedKey.at(key);
      if (typeof parsedKey !== "string") return Failure.of("string as key", parsedKey).at(key);
      const parsed = checkValue(value[key]);
      if (parsed instanceof Failure) return parsed.at(key);
      if (parsed !== undefined) setField(output, parsedKey, parsed);
    }
    return output;
  };
}

/** The first member that accepts wins. */
export function unionCheck(members: readonly AnyValidator[]): Check {
  const checks = members.map((member) => member["~check"]);
  return (value) => {
    const failures: Failure[] = [];
    for (const check of checks) {
      const parsed = check(value);
      if (!(parsed instanceof Failure)) return parsed;
      failures.push(parsed);
    }
    return nearest(failures) ?? Failure.of(failures.map((failure) => failure.expected).join(" or "), value);
  };
}

/**
 * The failure of the member that was most likely meant: one that came furthest in, and not one
 * whose discriminant did not match. None when every member refused the value as a whole.
 */
function nearest(failures: readonly Failure[]): Failure | undefined {
  let best: Failure | undefined;
  for (const failure of failures) {
    if (failure.depth === 0) continue;
    if (best === undefined || (best.isLiteral && !failure.isLiteral)) best = failure;
    else if (best.isLiteral === failure.isLiteral && failure.depth > best.depth) best = failure;
  }
  return best;
}
