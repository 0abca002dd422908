import { LunoraError } from "@lunora/errors";
import { encodeValue, HEADERS } from "@lunora/protocol";
import type { AppOptions, Environment, Identity } from "@lunora/server";

/** The token of `authorization: Bearer …`. */
export function bearerToken(request: Request): string | undefined {
  const value = request.headers.get(HEADERS.authorization);
  return value === null ? undefined : /^Bearer +([^\s]+) *$/i.exec(value)?.[1];
}

/**
 * Who calls. A resolver that throws, or answers something else than an identity or `null`, refuses
 * the request: nobody becomes anonymous by accident.
 */
export async function identityOf(app: AppOptions, request: Request, env: Environment): Promise<Identity | null> {
  return resolveIdentity(app, request, env, bearerToken(request));
}

/** The same for a token that came another way. */
export async function resolveIdentity(
  app: AppOptions,
  request: Request,
  env: Environment,
  token: string | undefined,
): Promise<Identity | null> {
  if (app.resolveIdentity === undefined) return null;
  let identity: unknown;
  try {
    identity = await app.resolveIdentity({ token, request, env });
  } catch (error) {
    if (error instanceof LunoraError) throw error;
    console.error("[lunora] `resolveIdentity` threw", error);
    throw new LunoraError("UNAUTHORIZED", "the identity of the caller could not be established", { cause: error });
  }
  if (identity === null) return null;
  const userId: unknown = (identity as Partial<Identity> | undefined)?.userId;
  if (typeof userId !== "string" || userId === "") {
    throw new Error(
      "`resolveIdentity` has to return `null` or an identity whose `userId` is a string that is not empty",
    );
  }
  const { expiresAt } = identity as Identity;
  if (expiresAt !== undefined && !Number.isFinite(expiresAt)) {
    throw new Error("`expiresAt` of an identity has to be epoch milliseconds, or left out");
  }
  // Claims travel to objects: what cannot is refused here, for every function alike.
  encodeValue(identity);
  return identity as Identity;
}

/** A copy of the request without the headers that only the server may set. */
export function withoutInternalHeaders(request: Request): Request {
  if (!request.headers.has(HEADERS.userId) && !request.headers.has(HEADERS.identity)) return request;
  const headers = new Headers(request.headers);
  headers.delete(HEADERS.userId);
  headers.delete(HEADERS.identity);
  return new Request(request, { headers });
}
