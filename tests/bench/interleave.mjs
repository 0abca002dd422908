// Takes samples in turns, so that a machine that gets slower or faster during the run does so for everyone, and nobody
// always follows the same one.

/**
 * @typedef {object} Outcome
 * @property {number[]} samples the counted ones
 * @property {string} [failure] why the subject dropped out; then its samples do not count
 */

/**
 * The order of a round, so that in the end each was first, and followed each of the others, about as often: a Williams
 * design.
 *
 * @template Subject
 * @param {readonly Subject[]} subjects
 * @param {number} round
 * @returns {Subject[]}
 */
export function turnsOf(subjects, round) {
  const count = subjects.length;
  // The first, its neighbours on both sides, theirs, …
  const turns = subjects.map((_, place) => {
    const offset = place % 2 === 1 ? (place + 1) / 2 : count - place / 2;
    return subjects[(offset + round) % count];
  });
  return Math.floor(round / count) % 2 === 0 ? turns : turns.toReversed();
}

/**
 * A subject that throws drops out with its reason; the others go on.
 *
 * @param {Map<string, () => Promise<number>>} subjects in the order of the first round
 * @param {{runs: number, warmUp: number, onRound?: (round: number) => void}} options
 * @returns {Promise<Map<string, Outcome>>}
 */
export async function interleave(subjects, { runs, warmUp, onRound }) {
  /** @type {Map<string, Outcome>} */
  const outcomes = new Map([...subjects.keys()].map((name) => [name, { samples: [] }]));
  for (let round = 0; round < warmUp + runs; round += 1) {
    onRound?.(round);
    for (const [name, sample] of turnsOf([...subjects], round)) {
      const outcome = /** @type {Outcome} */ (outcomes.get(name));
      if (outcome.failure !== undefined) continue;
      try {
        const value = await sample();
        if (!Number.isFinite(value)) throw new Error(`The sample is \`${value}\`, not a number.`);
        if (round >= warmUp) outcome.samples.push(value);
      } catch (error) {
        outcome.failure = reasonOf(error);
      }
    }
  }
  return outcomes;
}

/** @param {unknown} error */
export const reasonOf = (error) => (error instanceof Error ? error.message : String(error));
