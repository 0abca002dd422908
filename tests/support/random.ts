// Chance that can be repeated: the seed is printed, and taken from `LUNORA_SEED`.

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function random(): () => number {
  const seed = Number(process.env["LUNORA_SEED"] ?? Math.floor(Math.random() * 2 ** 32)) >>> 0;
  console.log(`LUNORA_SEED=${seed}`);
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
