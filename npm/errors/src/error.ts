import { CODES_BY_STATUS } from "./codes.ts";
import type { STATUS_BY_CODE } from "./codes.ts";

/** A code of the table. */
export type KnownErrorCode = keyof typeof STATUS_BY_CODE;

/** A code of the table, or one of the app's own in the same style. */
export type ErrorCode = KnownErrorCode | (string & {});

/** What an error carries besides its code and message. */
export interface LunoraErrorOptions {
  /** HTTP status; that of the code unless given, 400 for an app's own code. */
  readonly status?: number | undefined;
  /** Anything the wire can hold; reaches the caller. */
  readonly data?: unknown;
  /** What unblocks the caller. */
  readonly hint?: string | undefined;
  readonly docsUrl?: string | undefined;
  /** Stays on the server. */
  readonly cause?: unknown;
}

/**
 * Marks errors whose texts were written for callers. Any other error is redacted, also one that
 * happens to have a `code` and a `status`: those of HTTP libraries quote secrets.
 */
export const LUNORA_ERROR: unique symbol = Symbol.for("lunora.error");

/** An error with a stable code that may travel to the caller as it is. */
export class LunoraError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  declare readonly data?: unknown;
  declare readonly hint?: string;
  declare readonly docsUrl?: string;

  constructor(code: ErrorCode, message: string, options: LunoraErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "LunoraError";
    this.code = code;
    this.status = options.status ?? statusOf(code);
    if (options.data !== undefined) this.data = options.data;
    if (options.hint !== undefined) this.hint = options.hint;
    if (options.docsUrl !== undefined) this.docsUrl = options.docsUrl;
    Object.defineProperty(this, LUNORA_ERROR, { value: true });
  }
}

const STATUSES: ReadonlyMap<string, number> = new Map(
  Object.entries(CODES_BY_STATUS).flatMap(([status, codes]) => codes.split(" ").map((code) => [code, Number(status)])),
);

/** The HTTP status of a code: 400 when it is not one of the table. */
export function statusOf(code: ErrorCode): number {
  return STATUSES.get(code) ?? 400;
}

/**
 * Whether a value has the form of a coded error. Structural, because several copies of this
 * package may be loaded and errors cross process borders.
 */
export function isLunoraError(value: unknown): value is LunoraError {
  if (typeof value !== "object" || value === null) return false;
  const { code, status, message } = value as { code?: unknown; status?: unknown; message?: unknown };
  return typeof code === "string" && typeof status === "number" && typeof message === "string";
}
