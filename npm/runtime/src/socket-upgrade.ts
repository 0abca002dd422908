import { LunoraError } from "@lunora/errors";
import type { ErrorBody } from "@lunora/errors";
import {
  CLOSE_CODES,
  encodeValue,
  HEADERS,
  objectName,
  RESERVED_OBJECT_PREFIX,
  ROOT_OBJECT,
  SUBPROTOCOL,
  TOKEN_SUBPROTOCOL_PREFIX,
} from "@lunora/protocol";
import type {
  AppOptions,
  Environment,
  Identity,
  LunoraDefinition,
  SchemaDefinition,
  ShardTarget,
} from "@lunora/server";

import { authorizeShard } from "./authorize.ts";
import { callObject } from "./call-object.ts";
import type { Timers } from "./call-object.ts";
import { bearerToken, resolveIdentity } from "./identity.ts";
import { reachObject } from "./reach-object.ts";
import { failureOf } from "./responses.ts";
import { BINDINGS } from "./shard-protocol.ts";

/** Names the object that an upgrade is meant for, percent-encoded. Set by the Worker only. */
export const SHARD_HEADER = "x-lunora-shard";

/** As much of an object as an upgrade needs. */
export interface SocketMethods {
  fetch(request: Request): Promise<Response>;
}

/** Subprotocols that the client offers. */
export function offered({ headers }: Request): string[] {
  return (headers.get("sec-websocket-protocol") ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

/** The token of a socket: browsers can set no header but the subprotocols. */
export function socketToken(request: Request): string | undefined {
  const protocol = offered(request).find((name) => name.startsWith(TOKEN_SUBPROTOCOL_PREFIX));
  if (protocol !== undefined) {
    const text = protocol.slice(TOKEN_SUBPROTOCOL_PREFIX.length);
    try {
      const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
        Uint8Array.from(binary, (unit) => unit.charCodeAt(0)),
      );
    } catch {
      throw new LunoraError("UNAUTHORIZED", "the token in the subprotocol is not base64url of UTF-8");
    }
  }
  return bearerToken(request) ?? new URL(request.url).searchParams.get("token") ?? undefined;
}

/**
 * Refuses a page of another site: browsers send cookies along and do not ask first. Clients that
 * are no browsers send no origin.
 */
export function assertOrigin({ allowedOrigins = [] }: AppOptions, request: Request): void {
  const origin = request.headers.get("origin");
  if (origin === null) return;
  if (origin === new URL(request.url).origin || allowedOrigins.includes(origin)) return;
  // A proxy in front says which host was asked. No page can set this header on an upgrade.
  const forwarded = request.headers.get("x-forwarded-host");
  if (forwarded !== null && (origin === `http://${forwarded}` || origin === `https://${forwarded}`)) return;
  throw new LunoraError("ORIGIN_NOT_ALLOWED", `pages of \`${origin}\` may not open sockets here`, {
    hint: "Name the origin in `allowedOrigins` of `defineApp`.",
  });
}

/** The shard that an object's name stands for; refuses names that no table of the schema can have. */
export function shardOf({ tables }: SchemaDefinition, name: string): ShardTarget {
  if (name === ROOT_OBJECT) return { name, field: null, value: null };
  const separator = name.indexOf("=");
  const field = name.slice(0, Math.max(separator, 0));
  const isField = Object.values(tables).some(
    ({ shardMode }) => shardMode.kind === "shardBy" && shardMode.field === field,
  );
  if (isField && !name.startsWith(RESERVED_OBJECT_PREFIX)) {
    try {
      const value = decodeURIComponent(name.slice(separator + 1));
      // One shard has one name.
      if (objectName(field, value) === name) return { name, field, value };
    } catch {
      // Told below.
    }
  }
  throw new LunoraError("BAD_REQUEST", `\`${name.slice(0, 64)}\` is not the name of a shard`);
}

/** The answer to an upgrade; a subprotocol has to be chosen where some were offered. */
export function acceptedSocket(request: Request, client: WebSocket): Response {
  const headers = offered(request).includes(SUBPROTOCOL) ? { "sec-websocket-protocol": SUBPROTOCOL } : undefined;
  return new Response(null, { status: 101, webSocket: client, ...(headers === undefined ? {} : { headers }) });
}

const REFUSALS: Readonly<Record<string, number>> = {
  TOKEN_EXPIRED: CLOSE_CODES.tokenExpired,
  FORBIDDEN_SHARD: CLOSE_CODES.forbidden,
};

/** A script sees nothing of a failed upgrade, so a refusal of who calls is told on a socket that opens. */
export function refusedSocket(
  request: Request,
  error: ErrorBody,
  code: number = REFUSALS[error.code] ?? CLOSE_CODES.identityInvalid,
): Response {
  const pair = new WebSocketPair();
  pair[1].accept();
  pair[1].send(JSON.stringify({ type: "error", error }));
  pair[1].close(code, error.code);
  return acceptedSocket(request, pair[0]);
}

export interface UpgradeOptions {
  readonly now: () => number;
  readonly timers: Timers;
}

/** Takes an upgrade to its shard, with who asks for it in headers of our own. */
export async function upgradeSocket(
  definition: LunoraDefinition,
  request: Request,
  env: Environment,
  { now, timers }: UpgradeOptions,
): Promise<Response> {
  const { app, schema } = definition;
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket")
    throw new LunoraError("UPGRADE_REQUIRED", "this path speaks WebSocket");
  assertOrigin(app, request);
  const shard = shardOf(schema, new URL(request.url).searchParams.get("shard") ?? ROOT_OBJECT);
  let identity: Identity | null;
  try {
    identity = await resolveIdentity(app, request, env, socketToken(request));
    if (typeof identity?.expiresAt === "number" && identity.expiresAt <= now())
      throw new LunoraError("TOKEN_EXPIRED", "the token has expired");
    await authorizeShard(app, env, identity, shard, null);
  } catch (error) {
    const { status, body } = failureOf(error, "a socket");
    // What is our fault is no verdict on the caller, who may try again.
    if (status >= 500) throw error;
    return refusedSocket(request, body.error);
  }
  const headers = new Headers({ upgrade: "websocket", [SHARD_HEADER]: encodeURIComponent(shard.name) });
  headers.set(HEADERS.identity, asciiJson(encodeValue(identity)));
  const protocols = request.headers.get("sec-websocket-protocol");
  if (protocols !== null && offered(request).includes(SUBPROTOCOL)) headers.set("sec-websocket-protocol", SUBPROTOCOL);
  return callObject(
    () => reachObject<SocketMethods>(schema, env, BINDINGS.shard, shard.name),
    (object) => object.fetch(new Request("https://shard/", { headers })),
    true,
    timers,
  );
}

/** JSON that a header can carry. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
