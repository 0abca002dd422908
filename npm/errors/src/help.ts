import type { ErrorCode, KnownErrorCode } from "./error.ts";
import { HELP_BY_CODE } from "./help-texts.ts";

/** What unblocks a code of the table, as a sentence; `undefined` for an app's own code. */
export function helpOf(code: ErrorCode): string | undefined {
  return Object.hasOwn(HELP_BY_CODE, code) ? HELP_BY_CODE[code as KnownErrorCode] : undefined;
}
