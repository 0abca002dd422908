import type { PushResult } from "@lunora/protocol";

/** How a decided entry ended, without its position. */
export type Outcome = Omit<PushResult, "clientSeq">;

/** What an entry calls itself: known again under another number. */
export interface EntryName {
  readonly mutationId: string;
  readonly functionPath: string;
}

/** An outcome as it is stored: JSON, and the name of the entry when it had one. */
export type KeptOutcome = readonly [clientSeq: number, outcome: string, mutationId?: string, functionPath?: string];

/** An entry that was decided, found by its position. */
export interface PlacedOutcome {
  /** The entry's own; absent when it had none, or when nothing of it is kept. */
  readonly mutationId: string | undefined;
  /** JSON of an {@link Outcome}; an empty one when nothing of it is kept. */
  readonly text: string;
}

/** An entry that was decided, found by its mutation id. */
export interface NamedOutcome {
  readonly functionPath: string;
  /** JSON of an {@link Outcome}. */
  readonly text: string;
}

/** A success without a result, or with one that is no longer kept. */
export const NO_RESULT = "{}";

/**
 * What is to be stored of an outcome. A success without a result and without a name needs nothing:
 * what is not kept counts as one.
 */
export function keptOf(clientSeq: number, outcome: Outcome, name: EntryName | undefined): KeptOutcome | undefined {
  if (name !== undefined) return [clientSeq, JSON.stringify(outcome), name.mutationId, name.functionPath];
  if (outcome.result === undefined && outcome.error === undefined) return undefined;
  return [clientSeq, JSON.stringify(outcome)];
}

/** The entry with the mutation id among them. */
export function findNamed(kept: readonly KeptOutcome[], mutationId: string): NamedOutcome | undefined {
  const found = kept.find(([, , id]) => id === mutationId);
  return found === undefined ? undefined : { functionPath: found[3] ?? "", text: found[1] };
}
