import { LunoraError } from "@lunora/errors";

/** What is to be done with an entry of a client's sequence. */
export type Verdict = { readonly kind: "run" | "decided" } | { readonly kind: "refused"; readonly error: LunoraError };

/**
 * Judges a position of a client's sequence by the last one that was decided. At or below it the
 * entry has had its effect; the next one runs; what skips is refused, and told where to go on.
 */
export function judge(clientSeq: unknown, watermark: number): Verdict {
  if (!Number.isSafeInteger(clientSeq) || (clientSeq as number) < 1) {
    return {
      kind: "refused",
      error: new LunoraError("BAD_REQUEST", "`clientSeq` has to be an integer from 1 to 2^53 - 1"),
    };
  }
  const expected = watermark + 1;
  if ((clientSeq as number) < expected) return { kind: "decided" };
  if (clientSeq === expected) return { kind: "run" };
  return { kind: "refused", error: outOfOrder(clientSeq, expected) };
}

/** The client has to give its undecided entries other numbers. */
export function outOfOrder(clientSeq: unknown, expected: number): LunoraError {
  return new LunoraError(
    "OUT_OF_ORDER",
    `the client's entry ${clientSeq as number} has to come as ${expected} or later`,
    {
      data: { expected },
    },
  );
}
