import * as fc from "fast-check";
import { inject } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    seed: number;
  }
}

/** The seed of this run: `LUNORA_SEED`, or a random one that the run prints. */
export const seed: number = inject("seed");

/** Checks a property over random values; a failure prints the seed and the smallest counterexample. */
export function checkProperty<Values>(property: fc.IRawProperty<Values>, runs = 500): void {
  fc.assert(property as fc.IProperty<Values>, { seed, numRuns: runs });
}
