import { CODES_BY_STATUS } from "./codes.ts";
import { CodedError } from "./error.ts";
import type { ErrorCode, LunoraErrorOptions } from "./error.ts";

const STATUSES: ReadonlyMap<string, number> = new Map(
  Object.entries(CODES_BY_STATUS).flatMap(([status, codes]) => codes.split(" ").map((code) => [code, Number(status)])),
);

/** The HTTP status of a code: 400 when it is not one of the table. */
export function statusOf(code: ErrorCode): number {
  return STATUSES.get(code) ?? 400;
}

/**
 * Marks errors whose texts were written for callers, those of another copy of this package too. Any
 * other error is redacted, also one that happens to have a `code` and a `status`: those of HTTP
 * libraries quote secrets.
 */
export const LUNORA_ERROR: unique symbol = Symbol.for("lunora.error");

/** An error with a stable code that may travel to the caller as it is. */
export class LunoraError extends CodedError {
  constructor(code: ErrorCode, message: string, options: LunoraErrorOptions = {}) {
    super(code as never, (options.status ?? statusOf(code)) as never, message, options);
  }

  static {
    // On the prototype: it is no field of the error.
    Object.defineProperty(this.prototype, LUNORA_ERROR, { value: true });
  }

  /** What was made without the table is one too. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return this === LunoraError ? value instanceof CodedError : super[Symbol.hasInstance](value);
  }
}
