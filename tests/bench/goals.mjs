// What a row has to reach, and whether it did. A goal is a ratio to something measured in the same
// rounds, or where the plan says so a distance to it.

/**
 * @typedef {object} Goal
 * @property {string} text as people read it
 * @property {string} [over] the name beside which it is read; none for a plain limit
 * @property {"ratio" | "difference" | "value"} of which figure it is about
 * @property {(figure: number) => boolean} holds
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
  of: "ratio",
  holds: (ratio) => ratio <= limit,
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
  of: "ratio",
  holds: (ratio) => ratio >= limit,
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
  of: "ratio",
  holds: (ratio) => ratio * times <= 1,
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
  of: "difference",
  holds: (difference) => difference <= distance,
});

/**
 * Ours is at most `limit` (in the row's unit).
 *
 * @param {number} limit
 * @param {string} unit
 * @returns {Goal}
 */
export const under = (limit, unit) => ({
  text: `≤ ${trim(limit)} ${unit}`,
  of: "value",
  holds: (value) => value <= limit,
});

/**
 * @param {Goal} goal
 * @param {number | null} ours
 * @param {Readonly<Record<string, import("./statistics.mjs").Comparison>>} compared
 * @returns {Verdict}
 */
export function judge(goal, ours, compared) {
  const comparison = goal.over === undefined ? undefined : compared[goal.over];
  const figure = { value: ours, ratio: comparison?.ratio.median, difference: comparison?.difference }[goal.of];
  return {
    text: goal.text,
    ...(goal.over === undefined ? {} : { over: goal.over }),
    holds: figure === undefined || figure === null ? null : goal.holds(figure),
  };
}
