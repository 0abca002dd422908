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

/**
 * @typedef {object} Estimate
 * @property {number} median
 * @property {number} low
 * @property {number} high
 */

/**
 * The median, and between what the median of endlessly many samples lies: with a probability of 95 % where there are six
 * samples or more, whatever they are distributed like. That as many as half of them fell on one side of it is as likely as
 * with a coin.
 *
 * @param {readonly number[]} samples
 * @returns {Estimate}
 */
export function estimate(samples) {
  const sorted = samples.toSorted((a, b) => a - b);
  const count = sorted.length;
  // As a logarithm, since of a thousand samples it is less than the smallest number.
  let probability = count * Math.log(0.5);
  let below = Math.exp(probability);
  let left = 0;
  while (left + 1 < count / 2) {
    probability += Math.log((count - left) / (left + 1));
    below += Math.exp(probability);
    if (below > 0.025) break;
    left += 1;
  }
  return {
    median: median(samples),
    low: sorted[left] ?? Number.NaN,
    high: sorted[count - 1 - left] ?? Number.NaN,
  };
}

/**
 * How one subject stands to another, by the samples of the same rounds: what a machine does to a round it does to both.
 *
 * @typedef {object} Comparison
 * @property {Estimate} ratio
 * @property {number} difference median
 */

/**
 * @param {readonly number[]} ours
 * @param {readonly number[]} others as many, of the same rounds
 * @returns {Comparison}
 */
export const compare = (ours, others) => ({
  ratio: estimate(ours.map((value, round) => value / others[round])),
  difference: median(ours.map((value, round) => value - others[round])),
});
