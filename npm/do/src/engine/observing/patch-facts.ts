import { OBSERVED_ROWS } from "@lunora/runtime";
import type { ObservedPokePart } from "@lunora/runtime";

import type { LiveAnswer } from "../live/live-answer.ts";
import { diffPages } from "../live/page-diff.ts";

/** What a poke did, as far as rows go. */
export type PatchFacts = Pick<ObservedPokePart, "rowsIn" | "rowsOut" | "rows">;

/** Text beyond which rows are not counted: nobody may be kept waiting for it. */
const COUNTED_LENGTH = 250_000;

interface Operation {
  readonly op: string;
  readonly key: string;
}

function factsOf(operations: readonly Operation[]): PatchFacts {
  const rowsOut = operations.reduce((sum, { op }) => (op === "delete" ? sum + 1 : sum), 0);
  const rows = operations.slice(0, OBSERVED_ROWS).map(({ key }) => key);
  return { rowsIn: operations.length - rowsOut, rowsOut, rows };
}

const known = new WeakMap<readonly string[], PatchFacts | null>();

/**
 * What a patch of a shape does: pieces are arrays of operations, as JSON, and the same for all subscribers, so they are
 * read once. `undefined`: it is too long to be read for this.
 */
export function patchFacts(pieces: readonly string[]): PatchFacts | undefined {
  let facts = known.get(pieces);
  if (facts === undefined) {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    facts = length > COUNTED_LENGTH ? null : factsOf(pieces.flatMap((piece) => JSON.parse(piece) as Operation[]));
    known.set(pieces, facts);
  }
  return facts ?? undefined;
}

/** How many rows an answer has, when it is a list of them. */
export function rowsOf({ isError, content }: LiveAnswer): number | undefined {
  return !isError && Array.isArray(content) ? content.length : undefined;
}

/** What an answer changes for whoever has the other one; `base` is absent where it is sent whole. */
export function answerFacts(answer: LiveAnswer, base: LiveAnswer | undefined): PatchFacts {
  const found =
    base === undefined || base.isError || answer.isError ? undefined : diffPages(base.content, answer.content);
  return found === undefined ? { rowsIn: rowsOf(answer) ?? 0, rowsOut: 0 } : factsOf(found);
}
