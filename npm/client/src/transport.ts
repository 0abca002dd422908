import { CodedError, fromErrorBody } from "@lunora/errors";
import type { ErrorBody, LunoraError } from "@lunora/errors";
import { decodeValue } from "@lunora/protocol";

/** What came back from a `POST`. */
export interface PostAnswer {
  readonly status: number;
  /** Parsed JSON; `undefined` when it was none. */
  readonly body: unknown;
}

/** The result in an answer, decoded; throws the error that is in it instead. */
export function resultOf(answer: PostAnswer): unknown {
  const { status, body } = answer;
  if (status >= 300 || !isObject(body) || "error" in body) throw failureOf(answer);
  return decodeValue(body["result"]);
}

/** The error in a body: the server's own, or `INTERNAL` when it is not in an envelope. */
export function failureOf({ status, body }: PostAnswer): LunoraError {
  const error = isObject(body) ? body["error"] : undefined;
  // Inside a batch the status of the response says nothing about a slot.
  const own = status >= 400 ? status : undefined;
  if (isObject(error) && typeof error["code"] === "string" && typeof error["message"] === "string")
    return errorOf(error as unknown as ErrorBody, own);
  const message = `Not Lunora's answer (${status}): is \`url\` the Worker's?`;
  return new CodedError("INTERNAL", (own ?? 500) as 500, message);
}

/** The error that a body on the wire stands for. */
export function errorOf(body: ErrorBody, status?: number): LunoraError {
  return fromErrorBody({ ...body, data: decodeValue(body.data) }, status);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
