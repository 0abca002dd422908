import { LunoraError } from "@lunora/errors";

/**
 * Deepest nesting of JSON that is read. A wire value has 64 levels, each of which is at most three
 * of JSON (the entries of a map); what is deeper would overflow the stack of whoever walks it.
 */
const JSON_DEPTH = 256;

/** Refuses JSON that nests too deeply, before it is parsed: `WIRE_TOO_DEEP`. `what` names it in the message. */
export function assertShallow(text: string, what: string): void {
  // Every level takes two characters, so most texts need not be looked at.
  if (text.length <= 2 * JSON_DEPTH) return;
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    switch (text.charCodeAt(index)) {
      case 0x22:
        // A string: brackets inside do not count.
        for (index += 1; index < text.length && text.charCodeAt(index) !== 0x22; index += 1) {
          if (text.charCodeAt(index) === 0x5c) index += 1;
        }
        break;
      case 0x5b:
      case 0x7b:
        depth += 1;
        if (depth > JSON_DEPTH)
          throw new LunoraError("WIRE_TOO_DEEP", `${what} is nested deeper than ${JSON_DEPTH} levels`);
        break;
      case 0x5d:
      case 0x7d:
        depth -= 1;
        break;
      default:
    }
  }
}
