import type { PokeEndFrame, PokePartFrame, PokeStartFrame } from "@lunora/protocol";

/** Pokes that may be on their way at once; a server sends one after the other. */
export const MAX_OPEN_POKES = 8;

/** A poke whose end has not arrived. */
export interface OpenPoke {
  readonly start: PokeStartFrame;
  readonly parts: readonly PokePartFrame[];
}

/** The pokes on their way on one socket, oldest first. */
export type OpenPokes = ReadonlyMap<string, OpenPoke>;

/** What came of a frame: the pokes still open, the one that is complete, the one that had to make room. */
export interface PokeStep {
  readonly open: OpenPokes;
  readonly complete?: OpenPoke & { readonly end: PokeEndFrame };
  readonly evicted?: OpenPoke;
}

export function stepPokes(open: OpenPokes, frame: PokeStartFrame | PokePartFrame | PokeEndFrame): PokeStep {
  const next = new Map(open);
  const poke = open.get(frame.pokeId);
  if (frame.type === "pokeStart") {
    next.delete(frame.pokeId);
    next.set(frame.pokeId, { start: frame, parts: [] });
    const [oldest] = next;
    if (next.size <= MAX_OPEN_POKES || oldest === undefined) return { open: next };
    next.delete(oldest[0]);
    return { open: next, evicted: oldest[1] };
  }
  if (poke === undefined) return { open };
  if (frame.type === "pokePart") {
    next.set(frame.pokeId, { ...poke, parts: [...poke.parts, frame] });
    return { open: next };
  }
  next.delete(frame.pokeId);
  return { open: next, complete: { ...poke, end: frame } };
}
