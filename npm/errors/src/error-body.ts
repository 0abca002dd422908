import { HELP_BY_CODE } from "./codes.ts";
import { LUNORA_ERROR, LunoraError } from "./error.ts";
import type { ErrorCode, KnownErrorCode } from "./error.ts";

/** An error as it travels. `data` is a plain value here; the wire encoding is the envelope's work. */
export interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly data?: unknown;
  readonly hint?: string;
  readonly docsUrl?: string;
}

/** An error ready for a response. */
export interface ErrorResponse {
  readonly status: number;
  readonly body: ErrorBody;
}

/** Made when needed: at the top level the texts would be kept in bundles that never redact. */
function redacted(): ErrorResponse {
  return { status: 500, body: { code: "INTERNAL", message: "Internal error", hint: HELP_BY_CODE.INTERNAL } };
}

function mayTravel(value: unknown): value is LunoraError {
  return value instanceof Error && (value as { [LUNORA_ERROR]?: unknown })[LUNORA_ERROR] === true;
}

/**
 * What a caller may see of whatever was thrown. Errors of ours travel; anything else, `INTERNAL`
 * included, becomes `INTERNAL` without its message, stack, data or cause.
 */
export function toErrorBody(thrown: unknown): ErrorResponse {
  if (!mayTravel(thrown) || thrown.code === "INTERNAL") return redacted();
  const { code, message, data, docsUrl } = thrown;
  const hint = thrown.hint ?? helpOf(code);
  return {
    status: thrown.status,
    body: {
      code,
      message,
      ...(data === undefined ? {} : { data }),
      ...(hint === undefined ? {} : { hint }),
      ...(docsUrl === undefined ? {} : { docsUrl }),
    },
  };
}

/** The error that a body stands for: what a client throws. */
export function fromErrorBody(body: ErrorBody, status?: number): LunoraError {
  const { data, hint, docsUrl } = body;
  return new LunoraError(body.code, body.message, { status, data, hint, docsUrl });
}

function helpOf(code: ErrorCode): string | undefined {
  return Object.hasOwn(HELP_BY_CODE, code) ? HELP_BY_CODE[code as KnownErrorCode] : undefined;
}
