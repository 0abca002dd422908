// Order statistics over a handful of samples.

/**
 * @param {readonly number[]} samples
 * @param {number} fraction between 0 and 1
 * @returns {number} linear between the two nearest ranks; `NaN` for no samples
 */
export function quantile(samples, fraction) {
  if (samples.length === 0) return Number.NaN;
  const sorted = samples.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * fraction;
  const below = sorted[Math.floor(position)];
  const above = sorted[Math.ceil(position)];
  return below + (above - below) * (position - Math.floor(position));
}

/** @param {readonly number[]} samples */
export const median = (samples) => quantile(samples, 0.5);

/**
 * @typedef {object} Summary
 * @property {number} median
 * @property {number} spread half the distance between the quartiles, as a part of the median
 * @property {number} minimum
 * @property {number} maximum
 * @property {number} runs
 */

/**
 * @param {readonly number[]} samples
 * @returns {Summary}
 */
export function summarize(samples) {
  const middle = median(samples);
  const halfRange = (quantile(samples, 0.75) - quantile(samples, 0.25)) / 2;
  return {
    median: middle,
    spread: middle === 0 ? 0 : halfRange / middle,
    minimum: Math.min(...samples),
    maximum: Math.max(...samples),
    runs: samples.length,
  };
}
