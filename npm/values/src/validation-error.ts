import { formatPath } from "./path.ts";
import type { Path } from "./path.ts";

/** A value that does not match its validator: where, what was asked for, what was there. */
export class ValidationError extends Error {
  readonly code = "VALIDATION_ERROR";
  readonly status = 400;
  readonly path: Path;
  readonly expected: string;
  /** The kind of the value, never the value itself. */
  readonly received: string;

  constructor(path: Path, expected: string, received: string) {
    const place = formatPath(path);
    super(`${place === "" ? "" : `\`${place}\`: `}expected ${expected}, received ${received}`);
    this.name = "ValidationError";
    this.path = path;
    this.expected = expected;
    this.received = received;
    // The mark of errors whose text may travel; shared with `@lunora/errors` by name, not by import.
    Object.defineProperty(this, Symbol.for("lunora.error"), { value: true });
  }

  /** What travels to the caller beside the message. */
  get data(): { path: Path; expected: string; received: string } {
    return { path: this.path, expected: this.expected, received: this.received };
  }
}
