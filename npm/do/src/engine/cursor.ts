import { LunoraError } from "@lunora/errors";

import type { Position } from "./index-walk.ts";
import type { SqlKey } from "./sql.ts";

/** Bumped when cursors of before mean something else. */
const VERSION = 1;

/** Where a page ends: behind a row, or behind all of them. */
export type PagePlace = { readonly kind: "row"; readonly position: Position } | { readonly kind: "end" };

function toBase64Url(text: string): string {
  let binary = "";
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function fromBase64Url(text: string): string {
  if (!/^[\w-]*$/.test(text)) throw new SyntaxError("not base64url");
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(
    Uint8Array.from(binary, (character) => character.charCodeAt(0)),
  );
}

/** FNV-1a, 32 bits: tells one query from another, protects nothing. */
function fingerprint(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0).toString(36);
}

/** Opaque to callers. `query` is what must be the same when the cursor comes back. */
export function encodeCursor(query: string, place: PagePlace): string {
  return toBase64Url(JSON.stringify([VERSION, fingerprint(query), place.kind === "end" ? 0 : place.position]));
}

function isKey(value: unknown): value is SqlKey {
  return value === null || typeof value === "string" || (typeof value === "number" && Number.isFinite(value));
}

/** Throws `BAD_REQUEST` for anything that this query did not hand out. */
export function decodeCursor(query: string, cursor: unknown, terms: number): PagePlace {
  try {
    if (typeof cursor !== "string") throw new SyntaxError("not text");
    const parsed: unknown = JSON.parse(fromBase64Url(cursor));
    if (!Array.isArray(parsed) || parsed.length !== 3 || parsed[0] !== VERSION) throw new SyntaxError("not a cursor");
    if (parsed[1] !== fingerprint(query)) {
      throw new LunoraError(
        "BAD_REQUEST",
        "the cursor belongs to another query: table, index, range, order and where must stay the same",
      );
    }
    const position: unknown = parsed[2];
    if (position === 0) return { kind: "end" };
    if (!Array.isArray(position) || position.length !== terms || !position.every(isKey))
      throw new SyntaxError("no position");
    return { kind: "row", position };
  } catch (error) {
    if (error instanceof LunoraError) throw error;
    throw new LunoraError("BAD_REQUEST", "the cursor is not one that a page returned", { cause: error });
  }
}
