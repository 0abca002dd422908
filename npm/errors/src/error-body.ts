import { LUNORA_ERROR, LunoraError } from "./error.ts";

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

const REDACTED: ErrorResponse = {
  status: 500,
  body: { code: "INTERNAL", message: "Internal error", hint: "The server's log has the details." },
};

function mayTravel(value: unknown): value is LunoraError {
  return value instanceof Error && (value as { [LUNORA_ERROR]?: unknown })[LUNORA_ERROR] === true;
}

/**
 * What a caller may see of whatever was thrown. Errors of ours travel; anything else, `INTERNAL`
 * included, becomes `INTERNAL` without its message, stack, data or cause.
 */
export function toErrorBody(thrown: unknown): ErrorResponse {
  if (!mayTravel(thrown) || thrown.code === "INTERNAL") return REDACTED;
  const { code, message, data, hint, docsUrl } = thrown;
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
  return new LunoraError(body.code, body.message, { ...body, status });
}
