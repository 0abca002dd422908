import type { Environment, Identity } from "lunorash/server";
import { fromHex, hex } from "./secrets.js";
import { setting } from "./settings.js";

const encoder = new TextEncoder();

/** How long somebody stays signed in. */
export const SESSION_MS = 7 * 24 * 60 * 60 * 1000;

/** A bearer token that carries its identity and is proven by a MAC, so that no request has to look it up. */
export async function signSession(env: Environment, userId: string, expiresAt: number): Promise<string> {
  const claims = `${userId}.${expiresAt}`;
  const mac = await crypto.subtle.sign("HMAC", await keyOf(env), encoder.encode(claims));
  return `${claims}.${hex(new Uint8Array(mac))}`;
}

/** Who a bearer token stands for; nobody without one, with another's, or with an old one. */
export async function readSession(env: Environment, token: string | undefined): Promise<Identity | null> {
  const [userId, expires, mac, ...rest] = token?.split(".") ?? [];
  const bytes = fromHex(mac ?? "");
  if (userId === undefined || expires === undefined || bytes === null || rest.length > 0) return null;
  // Compares in constant time.
  const isOurs = await crypto.subtle.verify("HMAC", await keyOf(env), bytes, encoder.encode(`${userId}.${expires}`));
  const expiresAt = Number(expires);
  return isOurs && expiresAt > Date.now() ? { userId, expiresAt } : null;
}

async function keyOf(env: Environment): Promise<CryptoKey> {
  const secret = encoder.encode(setting(env, "SESSION_SECRET"));
  return crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
}
