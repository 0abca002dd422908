import { fromBase64Url } from "@lunora/protocol";

/**
 * Names whom a token stands for, without the token: what an identity has written is sent and shown
 * under the same name only. The subject when the app gives one; else who a JWT says it is for; else
 * the token's hash, so that an opaque token that changes looks like somebody else.
 */
export function identityOf(token: string | null, subject?: string): string {
  if (subject !== undefined) return `s${subject}`;
  if (token === null) return "";
  const claims = claimsOf(token);
  if (typeof claims?.["sub"] === "string") return `j${JSON.stringify([claims["iss"], claims["sub"]])}`;
  return `h${hash(token, 0x811c9dc5)}${hash(token, 0x050c5d1f)}`;
}

function claimsOf(token: string): Record<string, unknown> | undefined {
  const payload = fromBase64Url(token.split(".")[1] ?? "");
  if (payload === undefined || payload.length === 0) return undefined;
  try {
    const claims: unknown = JSON.parse(new TextDecoder().decode(payload));
    return typeof claims === "object" && claims !== null ? (claims as Record<string, unknown>) : undefined;
  } catch {
    // Three parts and a dot do not make a JWT.
    return undefined;
  }
}

/** FNV-1a over UTF-16 code units, from the given start. */
function hash(text: string, start: number): string {
  let value = start;
  for (let place = 0; place < text.length; place++) value = Math.imul(value ^ text.charCodeAt(place), 0x01000193);
  return (value >>> 0).toString(36);
}
