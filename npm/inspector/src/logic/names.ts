/** The object that holds what belongs to no shard. */
export const ROOT = "__root__";

/** What a percent-encoded text stands for; a text that is none stays as it is. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not percent-encoded: a stray sign.
    return text;
  }
}

/** A shard's name as people read it: `messages / general`; never an id. */
export function shardLabel(name: string): string {
  if (name === ROOT) return "root";
  const sign = name.search(/[=:]/);
  return sign === -1 ? name : `${name.slice(0, sign)} / ${decoded(name.slice(sign + 1))}`;
}

/** The beginning of a long id, as much as tells it from its neighbours on a screen. */
export function shortId(id: string): string {
  return id.length <= 12 ? id : `${id.slice(0, 10)}…`;
}

/** Who called, in words. */
export function personLabel(userId: string | null | undefined): string {
  return userId ?? "anonymous";
}

/** Addresses of a mail in one line. */
export function addressLine(addresses: readonly string[] | string | undefined): string {
  return addresses === undefined ? "" : typeof addresses === "string" ? addresses : addresses.join(", ");
}
