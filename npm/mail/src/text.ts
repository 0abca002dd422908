import { LunoraError } from "@lunora/errors";

/** Characters that end or hide a line of a header: C0, DEL, C1, and the line separators of Unicode. */
// oxlint-disable-next-line no-control-regex -- these are what is looked for
const CONTROL = /[\u0000-\u001F\u007F-\u009F\u2028\u2029]/;

/** A mail that cannot be sent as it is. */
export function invalidMail(message: string): LunoraError {
  return new LunoraError("MAIL_INVALID", message);
}

/**
 * A text that becomes part of a header.
 *
 * @param what how the text is called in errors; the text itself is never quoted, since somebody else may have written it
 * @throws LunoraError `MAIL_HEADER_INJECTION` with a control character, `MAIL_INVALID` when it is no text or too long.
 */
export function headerText(value: unknown, what: string, longest: number): string {
  if (typeof value !== "string") throw invalidMail(`${what} is ${value === null ? "null" : typeof value}, not a text`);
  if (CONTROL.test(value))
    throw new LunoraError("MAIL_HEADER_INJECTION", `${what} holds a line break or another control character`);
  if (value.length > longest) throw invalidMail(`${what} has ${value.length} characters; ${longest} are allowed`);
  return wellFormed(value, what);
}

/** Half a character has no bytes in UTF-8, and providers differ in what they make of it. */
export function wellFormed(value: string, what: string): string {
  if (!value.isWellFormed()) throw invalidMail(`${what} holds half a character (a lone surrogate)`);
  return value;
}
