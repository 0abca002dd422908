// Chance that can be had again: the seed is printed, and `LUNORA_SEED` sets it.

const given = Number(process.env["LUNORA_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
if (!Number.isSafeInteger(given)) throw new Error("LUNORA_SEED is not an integer");

/** The seed of this run. */
export const seed: number = given;
console.log(`LUNORA_SEED=${seed}`);

/** A stream of numbers in [0, 1) that depends on the seed alone (mulberry32). */
export function randomNumbers(from: number = seed): () => number {
  let state = from >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
