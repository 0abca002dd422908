import { CodedError } from "./error.ts";
import { LUNORA_ERROR } from "./lunora-error.ts";

/** An error as it travels. `data` is a plain value here; the wire encoding is the envelope's work. */
export interface ErrorBody {
  readonly code: string;
  readonly message: string;
  /** HTTP status; left out when it is 400. */
  readonly status?: number;
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
  body: { code: "INTERNAL", message: "Internal error", status: 500, hint: "The server's log has the details." },
};

function mayTravel(value: unknown): value is CodedError {
  if (value instanceof CodedError) return true;
  return value instanceof Error && (value as { [LUNORA_ERROR]?: unknown })[LUNORA_ERROR] === true;
}

/**
 * What a caller may see of whatever was thrown. Errors of ours travel; anything else, `INTERNAL`
 * included, becomes `INTERNAL` without its message, stack, data or cause.
 */
export function toErrorBody(thrown: unknown): ErrorResponse {
  if (!mayTravel(thrown) || thrown.code === "INTERNAL") return REDACTED;
  const { code, status, message, data, hint, docsUrl } = thrown;
  return {
    status,
    body: {
      code,
      message,
      ...(status === 400 ? {} : { status }),
      ...(data === undefined ? {} : { data }),
      ...(hint === undefined ? {} : { hint }),
      ...(docsUrl === undefined ? {} : { docsUrl }),
    },
  };
}

/** What has to be known of an error where all of it would be too long: code, status and the beginning of its message. */
export function shortErrorBody({ code, status, message }: ErrorBody, length: number): ErrorBody {
  return { code, message: message.slice(0, length), ...(status === undefined ? {} : { status }) };
}

/** The error that a body stands for: what a client throws. `status` is that of the response, where there is one. */
export function fromErrorBody(body: ErrorBody, status: number = body.status ?? 400): CodedError {
  return new CodedError(body.code as never, status as never, body.message, body);
}
