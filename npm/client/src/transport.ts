import { fromErrorBody, LunoraError } from "@lunora/errors";
import type { ErrorBody } from "@lunora/errors";
import { decodeValue } from "@lunora/protocol";

import type { ClientEnvironment } from "./environment.ts";

/** One `POST` with a JSON body. */
export interface PostOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly signal?: AbortSignal | undefined;
}

/** What came back. */
export interface PostAnswer {
  readonly status: number;
  /** Parsed JSON; `undefined` when it was none. */
  readonly body: unknown;
}

/** Sends; a failure below HTTP is `NETWORK_FAILED`, an abort keeps its own reason. */
export async function post(
  environment: ClientEnvironment,
  { url, headers, body, signal }: PostOptions,
): Promise<PostAnswer> {
  try {
    const response = await environment.fetch(url, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify(body),
      ...(signal === undefined ? {} : { signal }),
    });
    return { status: response.status, body: parseJson(await response.text()) };
  } catch (cause) {
    signal?.throwIfAborted();
    throw new LunoraError("NETWORK_FAILED", `\`${url}\` could not be reached`, { cause });
  }
}

/** The error in a body: the server's own, or `INTERNAL` when it is not in an envelope. */
export function failureOf({ status, body }: PostAnswer): LunoraError {
  const error = isObject(body) ? body["error"] : undefined;
  if (isErrorBody(error)) return errorOf(error, statusIn(status));
  return new LunoraError("INTERNAL", `The server answered with status ${status} and no Lunora envelope`, {
    status: statusIn(status),
    hint: "Is the `url` of the client that of the Worker?",
  });
}

/** The error that a body on the wire stands for. */
export function errorOf(body: ErrorBody, status?: number): LunoraError {
  return fromErrorBody(body.data === undefined ? body : { ...body, data: decodeValue(body.data) }, status);
}

/** Inside a batch the status of the response says nothing about a slot. */
function statusIn(status: number): number | undefined {
  return status >= 400 ? status : undefined;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isErrorBody(value: unknown): value is ErrorBody {
  return isObject(value) && typeof value["code"] === "string" && typeof value["message"] === "string";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A proxy's HTML page, say: the caller sees the status and that there was no envelope.
    return undefined;
  }
}
