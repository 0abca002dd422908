/** What a subscriber says of the run it wants. */
export interface WantedRun {
  readonly sinceChunk?: number | undefined;
  readonly generation?: string | undefined;
  readonly replaces?: string | undefined;
}

/** The run that there is under the key. */
export interface KnownRun {
  readonly generation: string;
  readonly isRunning: boolean;
  /** Stored. */
  readonly chunks: number;
}

export type RunChoice =
  /** Reads the run from behind the chunk on. */
  | { readonly kind: "join"; readonly after: number }
  | { readonly kind: "start" }
  /** The run that the subscriber has chunks of is not here any more: another one's would not fit. */
  | { readonly kind: "interrupted" };

/**
 * Which run a subscriber of a durable stream gets. Whoever names a run gets that one or is told that
 * it is gone; who names none gets the run that there is, ended or not, else a new one. A run that has
 * ended is replaced once, by the first who asks for that.
 */
export function chooseRun({ sinceChunk, generation, replaces }: WantedRun, known: KnownRun | undefined): RunChoice {
  if (generation !== undefined) {
    const after = sinceChunk ?? 0;
    return generation === known?.generation && after <= known.chunks
      ? { kind: "join", after }
      : { kind: "interrupted" };
  }
  if (known === undefined || (replaces === known.generation && !known.isRunning)) return { kind: "start" };
  return { kind: "join", after: 0 };
}
