import type { STATUS_BY_CODE } from "./codes.ts";
import type { LunoraError } from "./lunora-error.ts";

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

/** A code of the table with its status. */
type KnownFailure = { [Code in KnownErrorCode]: [code: Code, status: (typeof STATUS_BY_CODE)[Code]] }[KnownErrorCode];

/**
 * An error with a stable code that may travel to the caller as it is, and with a status that whoever
 * makes it says: pages do without the table of statuses. {@link LunoraError} looks it up.
 */
export class CodedError extends Error {
  declare readonly code: ErrorCode;
  declare readonly status: number;
  declare readonly data?: unknown;
  declare readonly hint?: string;
  declare readonly docsUrl?: string;

  /** The compiler holds the status against the table. */
  constructor(...failure: [...KnownFailure, message: string, options?: Omit<LunoraErrorOptions, "status">]);
  constructor(code: ErrorCode, status: number, message: string, options: LunoraErrorOptions = {}) {
    super(message, options);
    this.name = "LunoraError";
    this.code = code;
    this.status = status;
    for (const field of ["data", "hint", "docsUrl"] as const)
      if (options[field] !== undefined) (this as Record<string, unknown>)[field] = options[field];
  }
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
