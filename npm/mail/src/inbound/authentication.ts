import type { Authentication } from "./parsed-email.ts";

/** Comments may hold anything, also what looks like a result. They nest; the innermost goes first. */
const COMMENT = /\([^()]*\)/g;

/**
 * What the topmost `Authentication-Results` says: servers put theirs on top, so that one is of the server that handed
 * the mail to the Worker. Those below may have been written by the sender and count for nothing.
 */
export function authenticationOf(headers: readonly (readonly [name: string, value: string])[]): Authentication {
  const results: { dkim: string[]; spf: string[]; dmarc: string[] } = { dkim: [], spf: [], dmarc: [] };
  const top = headers.find(([name]) => name === "authentication-results");
  if (top === undefined) return results;
  let text = top[1];
  for (let before = ""; before !== text;) [before, text] = [text, text.replaceAll(COMMENT, " ")];
  // The first part is the name of the server.
  for (const part of text.split(";").slice(1)) {
    const match = /^\s*(dkim|spf|dmarc)\s*=\s*([a-z]+)\b/i.exec(part);
    if (match !== null) results[match[1]?.toLowerCase() as keyof Authentication].push((match[2] ?? "").toLowerCase());
  }
  return results;
}
