// What a row has to reach, and whether it did. A goal is a ratio to something measured in the same
// run, or where the plan says so a distance to it.

/**
 * @typedef {object} Goal
 * @property {string} text as people read it
 * @property {string} [over] the name beside which it is read; none for a plain limit
 * @property {(ours: number, beside: number) => boolean} holds
 */

/**
 * @typedef {object} Verdict
 * @property {string} text
 * @property {string} [over]
 * @property {boolean | null} holds `null` when a side is missing
 */

const trim = (value) => Number(value.toPrecision(3)).toString();

/**
 * Ours is at most `limit` times the other.
 *
 * @param {string} over
 * @param {number} limit
 * @returns {Goal}
 */
export const atMost = (over, limit) => ({
  text: `≤ ${trim(limit)} × ${over}`,
  over,
  holds: (ours, beside) => ours <= beside * limit,
});

/**
 * Ours is at least `limit` times the other, where more is better.
 *
 * @param {string} over
 * @param {number} limit
 * @returns {Goal}
 */
export const atLeast = (over, limit) => ({
  text: `≥ ${trim(limit)} × ${over}`,
  over,
  holds: (ours, beside) => ours >= beside * limit,
});

/**
 * Ours takes at most one `times`-th of the other's time.
 *
 * @param {string} over
 * @param {number} times
 * @returns {Goal}
 */
export const fasterBy = (over, times) => ({
  text: `≥ ${trim(times)} × faster than ${over}`,
  over,
  holds: (ours, beside) => ours * times <= beside,
});

/**
 * Ours is at most `distance` (in the row's unit) above the other.
 *
 * @param {string} over
 * @param {number} distance
 * @param {string} unit
 * @returns {Goal}
 */
export const within = (over, distance, unit) => ({
  text: `≤ ${trim(distance)} ${unit} above ${over}`,
  over,
  holds: (ours, beside) => ours - beside <= distance,
});

/**
 * Ours is at most `limit` (in the row's unit).
 *
 * @param {number} limit
 * @param {string} unit
 * @returns {Goal}
 */
export const under = (limit, unit) => ({ text: `≤ ${trim(limit)} ${unit}`, holds: (ours) => ours <= limit });

/**
 * @param {Goal} goal
 * @param {number | null} ours
 * @param {Record<string, number | null>} beside
 * @returns {Verdict}
 */
export function judge(goal, ours, beside) {
  const other = goal.over === undefined ? Number.NaN : beside[goal.over];
  const missing = ours === null || other === null || other === undefined;
  return {
    text: goal.text,
    ...(goal.over === undefined ? {} : { over: goal.over }),
    holds: missing ? null : goal.holds(ours, other),
  };
}
