// The registry of rows and what running one means.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { judge } from "./goals.mjs";
import { interleave, reasonOf } from "./interleave.mjs";
import { makeScratch, removeScratch } from "./scratch.mjs";
import { compare, summarize } from "./statistics.mjs";

/**
 * Something that can be measured again and again.
 *
 * @typedef {object} Subject
 * @property {() => Promise<number | Record<string, number>>} sample one measurement, in the row's unit; where the row
 *   has others beside it, `value` and one for each of them
 * @property {() => Promise<void>} [close] ends what `open` started
 */

/**
 * @typedef {object} Context
 * @property {number | undefined} size of the row
 * @property {string} directory an empty one for this subject alone, removed afterwards
 */

/** @typedef {(context: Context) => Promise<Subject>} Open */

/**
 * @typedef {object} Row
 * @property {string} id what `--only` names
 * @property {string} title what is measured, in a few words
 * @property {number} [size] function files, subscribers, rows: what the title says
 * @property {string} unit
 * @property {"lower" | "higher"} better
 * @property {readonly import("./goals.mjs").Goal[]} [goals]
 * @property {Open} ours
 * @property {Record<string, Open | {open: Open, slow: true}>} beside slow ones run with `--all` only
 * @property {number} [runs] counted samples of each subject, 5 or more
 * @property {number} [warmUp] samples before those
 * @property {Record<string, {title: string, unit?: string, better?: "lower" | "higher", goals?: readonly import("./goals.mjs").Goal[]}>} [also]
 *   rows that the same samples give, by the end of their id, which is what names them in a sample
 */

/**
 * @typedef {object} Result
 * @property {string} id
 * @property {string} title
 * @property {number} [size]
 * @property {string} unit
 * @property {"lower" | "higher"} better
 * @property {number | null} ours the median; `null` when it failed
 * @property {Record<string, number | null>} beside
 * @property {number} runs
 * @property {Record<string, import("./statistics.mjs").Summary>} spread of every subject that was measured; ours is `ours`
 * @property {Record<string, import("./statistics.mjs").Comparison>} compared ours to each of the others that was measured
 * @property {Record<string, string>} failures why a value is `null`
 * @property {string[]} leftOut slow peers that `--all` would have brought in
 * @property {import("./goals.mjs").Verdict[]} goals
 */

/**
 * @typedef {object} Selection
 * @property {readonly string[]} [only] ids; `codegen-edit` also means `codegen-edit-disk`
 * @property {readonly number[]} [sizes]
 * @property {boolean} [all] slow peers too
 * @property {boolean} [quick] three runs instead of the full number: provisional figures
 */

const smallestNumberOfRuns = 5;

/** Of more runs only so many are said. */
const MANY_RUNS = 100;

/** What stands for us among the subjects of a row. */
export const oursName = "ours";

const named = (row, id) =>
  row.id === id ||
  row.id.startsWith(`${id}-`) ||
  Object.keys(row.also ?? {}).some((also) => `${row.id}-${also}` === id);

export class Bench {
  /** @type {Row[]} */
  #rows = [];

  /** @param {Row} row */
  add(row) {
    const runs = row.runs ?? smallestNumberOfRuns;
    if (runs < smallestNumberOfRuns)
      throw new Error(`\`${row.id}\` has ${runs} runs; a median needs ${smallestNumberOfRuns}.`);
    if (this.#rows.some((other) => other.id === row.id && other.size === row.size)) {
      throw new Error(`\`${row.id}\` with size \`${row.size}\` is there twice.`);
    }
    const goals = [row, ...Object.values(row.also ?? {})].flatMap((part) => part.goals ?? []);
    for (const goal of goals) {
      if (goal.over !== undefined && !(goal.over in row.beside)) {
        throw new Error(`The goal \`${goal.text}\` of \`${row.id}\` is over something that is not beside it.`);
      }
    }
    this.#rows.push(row);
  }

  /** @returns {readonly Row[]} */
  get rows() {
    return this.#rows;
  }

  /**
   * @param {Selection} selection
   * @returns {Row[]}
   */
  select({ only, sizes }) {
    const unknown = only?.filter((id) => !this.#rows.some((row) => named(row, id))) ?? [];
    if (unknown.length > 0) {
      throw new Error(
        `\`${unknown.join(", ")}\` is not a row. Rows: ${[...new Set(this.#rows.map((row) => row.id))].join(", ")}.`,
      );
    }
    return this.#rows.filter(
      (row) =>
        (only === undefined || only.some((id) => named(row, id))) &&
        (sizes === undefined || row.size === undefined || sizes.includes(row.size)),
    );
  }

  /**
   * @param {Row} row
   * @param {Selection & {say: (text: string) => void}} options
   * @returns {Promise<Result>}
   */
  async run(row, options) {
    const [result] = await this.measure(row, options);
    return result;
  }

  /**
   * The row, and those that its samples give as well.
   *
   * @param {Row} row
   * @param {Selection & {say: (text: string) => void}} options
   * @returns {Promise<Result[]>}
   */
  async measure(row, { all = false, quick = false, say }) {
    const runs = quick ? 3 : (row.runs ?? smallestNumberOfRuns);
    const warmUp = row.warmUp ?? 1;
    /** @type {Map<string, Open>} */
    const opens = new Map([[oursName, row.ours]]);
    const leftOut = [];
    for (const [name, side] of Object.entries(row.beside)) {
      if (typeof side === "function") opens.set(name, side);
      else if (all) opens.set(name, side.open);
      else leftOut.push(name);
    }

    const scratch = makeScratch(row.id);
    /** @type {Map<string, Subject>} */
    const subjects = new Map();
    /** @type {Record<string, string>} */
    const failures = {};
    const outcomes = new Map();
    const also = new Map(Object.keys(row.also ?? {}).map((part) => [part, new Map()]));
    let isCounted = false;
    try {
      for (const [name, open] of opens) {
        say(`prepare ${name}`);
        const directory = join(scratch, name.replaceAll(/[^\w-]/g, "_"));
        mkdirSync(directory);
        try {
          subjects.set(name, await open({ size: row.size, directory }));
        } catch (error) {
          failures[name] = reasonOf(error);
        }
      }
      const sampler = (name, subject) => async () => {
        const sample = await subject.sample();
        if (typeof sample === "number") return sample;
        for (const [part, samples] of also) {
          if (isCounted && sample[part] !== undefined) samples.set(name, [...(samples.get(name) ?? []), sample[part]]);
        }
        return sample.value;
      };
      const samplers = new Map([...subjects].map(([name, subject]) => [name, sampler(name, subject)]));
      const measured = await interleave(samplers, {
        runs,
        warmUp,
        onRound: (round) => {
          isCounted = round >= warmUp;
          const run = round - warmUp + 1;
          if (!isCounted) say("warm up");
          else if (runs <= MANY_RUNS || run % (runs / MANY_RUNS) < 1) say(`run ${run} of ${runs}`);
        },
      });
      for (const [name, outcome] of measured) {
        if (outcome.failure === undefined) outcomes.set(name, outcome.samples);
        else failures[name] = outcome.failure;
      }
    } finally {
      for (const [name, subject] of subjects) {
        await subject.close?.().catch((error) => {
          failures[name] ??= `It did not end: ${reasonOf(error)}`;
        });
      }
      removeScratch(scratch);
    }

    const result = (id, { title, goals = [], unit = row.unit, better = row.better }, samples) => {
      const spread = Object.fromEntries([...samples].map(([name, values]) => [name, summarize(values)]));
      const valueOf = (name) => spread[name]?.median ?? null;
      const others = [...opens.keys()].filter((name) => name !== oursName);
      const ours = samples.get(oursName);
      const measured = ours === undefined ? [] : others.filter((name) => samples.has(name));
      const compared = Object.fromEntries(measured.map((name) => [name, compare(ours, samples.get(name))]));
      return {
        id,
        title,
        ...(row.size === undefined ? {} : { size: row.size }),
        unit,
        better,
        ours: valueOf(oursName),
        beside: Object.fromEntries(others.map((name) => [name, valueOf(name)])),
        runs,
        spread,
        compared,
        failures,
        leftOut,
        goals: goals.map((goal) => judge(goal, valueOf(oursName), compared)),
      };
    };
    const parts = Object.entries(row.also ?? {}).map(([part, described]) => {
      const samples = [...also.get(part)].filter(([name]) => outcomes.has(name));
      return result(`${row.id}-${part}`, described, new Map(samples));
    });
    return [result(row.id, row, outcomes), ...parts];
  }
}
