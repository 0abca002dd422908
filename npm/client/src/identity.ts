import { fromBase64Url, hashText } from "@lunora/protocol";

/**
 * Names whom a token stands for, without the token: what an identity has written is sent and shown
 * under the same name only. The subject when the app gives one; else who a JWT says it is for; else
 * the token's hash, so that an opaque token that changes looks like somebody else.
 */
export function identityOf(token: string | null, subject?: string): string {
  if (subject !== undefined) return `s${subject}`;
  if (token === null) return "";
  const claims = claimsOf(token);
  if (typeof claims?.sub === "string") return `j${JSON.stringify([claims.iss, claims.sub])}`;
  return `h${hashText(token)}.${hashText(token, 0x050c5d1f)}`;
}

function claimsOf(token: string): { readonly iss?: unknown; readonly sub?: unknown } | null | undefined {
  try {
    return JSON.parse(new TextDecoder().decode(fromBase64Url(token.split(".")[1] ?? "")));
  } catch {
    // Three parts and a dot do not make a JWT.
    return undefined;
  }
}
