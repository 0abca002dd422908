import { describeValue } from "./describe-value.ts";
import { ValidationError } from "./validation-error.ts";

/**
 * A check that failed. Checks return it instead of throwing, and each level adds its step on the
 * way out, so that a check that succeeds builds no path.
 */
export class Failure {
  /** Innermost step first. */
  readonly #steps: (string | number)[] = [];
  readonly expected: string;
  readonly received: string;
  /** A literal that did not match: in a union, the sign of a member that was not meant. */
  readonly isLiteral: boolean;

  constructor(expected: string, received: string, isLiteral = false) {
    this.expected = expected;
    this.received = received;
    this.isLiteral = isLiteral;
  }

  static of(expected: string, value: unknown): Failure {
    return new Failure(expected, describeValue(value));
  }

  get depth(): number {
    return this.#steps.length;
  }

  at(step: string | number): this {
    this.#steps.push(step);
    return this;
  }

  toError(): ValidationError {
    return new ValidationError(this.#steps.toReversed(), this.expected, this.received);
  }
}

/** Returns the parsed value, or a {@link Failure}. */
export type Check = (value: unknown) => unknown;
