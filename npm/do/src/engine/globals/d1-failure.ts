/** Why D1 did not do what it was asked, as far as that decides what to do next. */
export type D1Failure =
  /** It cannot be told whether the request took effect. */
  | "unanswered"
  /** Tables or indexes are not there (any more). */
  | "layout"
  /** A row is not what the mutation saw. */
  | "lost race"
  /** The mutation happened before. */
  | "repeated"
  | "not unique"
  /** Any other refusal of a statement: nothing took effect. */
  | "refused";

/** What a guard's statement violates: no meta value is ever NULL. */
const GUARD = "NOT NULL constraint failed: __lunora_meta.value";
const REPEATED = "UNIQUE constraint failed: __lunora_idempotency.key";

/** SQLite's own refusals carry its code; these of them are the database's trouble, and pass. */
const TROUBLE = /SQLITE_(?:BUSY|LOCKED|IOERR|NOMEM|INTERRUPT|PROTOCOL|CANTOPEN|FULL|CORRUPT|NOTADB)/;

/** What is refused before it reaches SQLite, for its types or its size. */
const REFUSED = /D1_TYPE_ERROR|PAYLOAD_TOO_LARGE|too (?:large|big)|Wrong number of parameter/;

/** Reads D1's error: `D1_ERROR: UNIQUE constraint failed: index 'users__by_email': SQLITE_CONSTRAINT`. */
export function failureKind(error: unknown): D1Failure {
  const text = String(error);
  if (text.includes(GUARD)) return "lost race";
  if (text.includes(REPEATED)) return "repeated";
  if (text.includes("UNIQUE constraint failed")) return "not unique";
  if (/no such (?:table|index)/.test(text)) return "layout";
  if (REFUSED.test(text)) return "refused";
  return text.includes("SQLITE_") && !TROUBLE.test(text) ? "refused" : "unanswered";
}
