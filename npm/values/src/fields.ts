import { fieldsCheck } from "./composite-checks.ts";
import type { ValidatorDefinition } from "./definition.ts";
import { Failure } from "./failure.ts";
import type { Check } from "./failure.ts";
import type { InferFields } from "./infer.ts";
import type { AnyValidator, ValidatorMap } from "./validator.ts";

const compiled = new WeakMap<ValidatorMap, Check>();

/**
 * Parses a row or the arguments of a call. Compiled once for each map. Throws `ValidationError`.
 */
export function parseFields<Fields extends ValidatorMap>(fields: Fields, value: unknown): InferFields<Fields> {
  let check = compiled.get(fields);
  if (check === undefined) compiled.set(fields, (check = fieldsCheck(fields)));
  const result = check(value);
  if (result instanceof Failure) throw result.toError();
  return result as InferFields<Fields>;
}

/** What fills a value that was left out; `undefined` when nothing does. `now` is in epoch milliseconds. */
export function defaultOf(validator: AnyValidator, now: number): unknown {
  const { default: filled } = validator.column;
  switch (filled?.kind) {
    case "value":
      return filled.value;
    case "function":
      return filled.create();
    case "now":
      return now;
    case undefined:
      return undefined;
  }
}

/** The definition inside `optional` and `nullable`. */
export function unwrap(validator: AnyValidator): Exclude<ValidatorDefinition, { kind: "optional" | "nullable" }> {
  const { definition } = validator;
  return definition.kind === "optional" || definition.kind === "nullable" ? unwrap(definition.inner) : definition;
}

/** Whether `null` is accepted because `.nullable()` says so. */
export function isNullable(validator: AnyValidator): boolean {
  const { definition } = validator;
  if (definition.kind === "nullable") return true;
  return definition.kind === "optional" && isNullable(definition.inner);
}
