import { encodeFailure, HEADERS } from "@lunora/protocol";
import type { Environment } from "@lunora/server";

/** Answers are data: nothing may run, frame or keep them. */
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
  "referrer-policy": "strict-origin-when-cross-origin",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

const TRANSPORT_SECURITY = "max-age=31536000; includeSubDomains";

/** A JSON answer on one of our paths. */
export function jsonResponse(
  request: Request,
  env: Environment,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): Response {
  const region = env["LUNORA_REGION"];
  return new Response(request.method === "HEAD" ? null : JSON.stringify(body), {
    status,
    headers: {
      ...SECURITY_HEADERS,
      ...(request.url.startsWith("https:") ? { "strict-transport-security": TRANSPORT_SECURITY } : {}),
      ...(typeof region === "string" && region !== "" ? { [HEADERS.region]: region } : {}),
      "content-type": "application/json",
      ...headers,
    },
  });
}

/** The answer for whatever was thrown; what is redacted is logged. */
export function failureResponse(
  request: Request,
  env: Environment,
  thrown: unknown,
  headers: Record<string, string> = {},
): Response {
  const { status, body } = failureOf(thrown, new URL(request.url).pathname);
  return jsonResponse(request, env, status, body, headers);
}

export function failureOf(thrown: unknown, place: string): ReturnType<typeof encodeFailure> {
  const failure = encodeFailure(thrown);
  // The caller sees only `INTERNAL`; the cause is to be found here and nowhere else.
  if (failure.body.error.code === "INTERNAL") console.error(`[lunora] ${place}`, thrown);
  return failure;
}
