import { describeValue } from "./describe-value.ts";
import { Failure } from "./failure.ts";
import type { Check } from "./failure.ts";
import type { StandardSchema } from "./standard-schema.ts";

/** Asks a schema of another library. Only synchronous ones: a transaction cannot wait for one. */
export function foreignCheck(schema: StandardSchema<unknown, unknown>): Check {
  const { validate, vendor } = schema["~standard"];
  return (value) => {
    const result = validate(value);
    if (result instanceof Promise) {
      throw new TypeError(
        `\`v.from\` takes synchronous schemas only; this one of \`${vendor}\` answered with a promise`,
      );
    }
    if (result.issues === undefined) return result.value;
    const issue = result.issues[0];
    const failure = new Failure(
      `a value that \`${vendor}\` accepts (${issue?.message ?? "refused"})`,
      describeValue(value),
    );
    for (const step of issue?.path?.toReversed() ?? []) {
      const key = typeof step === "object" ? step.key : step;
      failure.at(typeof key === "number" ? key : String(key));
    }
    return failure;
  };
}
