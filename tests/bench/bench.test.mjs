import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { Bench } from "./bench.mjs";
import { atMost } from "./goals.mjs";

const quiet = { say: () => {} };
const constant = (value) => async () => ({ sample: async () => value });
const row = (extra = {}) => ({
  id: "row",
  title: "a row",
  unit: "ms",
  better: /** @type {const} */ ("lower"),
  ours: constant(1),
  beside: { peer: constant(2) },
  ...extra,
});

test("a row gives medians, spread and verdicts", async () => {
  const bench = new Bench();
  const result = await bench.run(row({ goals: [atMost("peer", 0.5)], size: 3 }), quiet);
  expect(result).toMatchObject({ id: "row", size: 3, ours: 1, beside: { peer: 2 }, runs: 5, failures: {} });
  expect(result.goals).toEqual([{ text: "≤ 0.5 × peer", over: "peer", holds: true }]);
  expect(result.compared.peer).toEqual({ ratio: { median: 0.5, low: 0.5, high: 0.5 }, difference: -1 });
});

test("a peer that cannot be prepared is told, not dropped", async () => {
  const result = await new Bench().run(row({ beside: { peer: () => Promise.reject(new Error("no network")) } }), quiet);
  expect(result.ours).toBe(1);
  expect(result.beside).toEqual({ peer: null });
  expect(result.compared).toEqual({});
  expect(result.failures).toEqual({ peer: "no network" });
});

test("every subject has an empty folder of its own, closed and removed in the end", async () => {
  const seen = [];
  const closed = [];
  const open =
    (name) =>
    async ({ directory }) => {
      expect(existsSync(directory)).toBe(true);
      seen.push(directory);
      return {
        sample: async () => 1,
        close: async () => {
          closed.push(name);
        },
      };
    };
  await new Bench().run(row({ ours: open("ours"), beside: { peer: open("peer") } }), quiet);
  expect(new Set(seen).size).toBe(2);
  expect(closed).toEqual(["ours", "peer"]);
  expect(seen.some((directory) => existsSync(directory))).toBe(false);
});

test("slow peers run with `all` only, and are named when they do not", async () => {
  const beside = { peer: constant(2), slow: { open: constant(3), slow: /** @type {const} */ (true) } };
  const without = await new Bench().run(row({ beside }), quiet);
  expect(without.beside).toEqual({ peer: 2 });
  expect(without.leftOut).toEqual(["slow"]);
  const all = await new Bench().run(row({ beside }), { ...quiet, all: true });
  expect(all.beside).toEqual({ peer: 2, slow: 3 });
});

test("quick takes three runs", async () => {
  let samples = 0;
  const ours = async () => ({
    sample: async () => {
      samples += 1;
      return samples;
    },
  });
  const result = await new Bench().run(row({ ours, runs: 10, warmUp: 2 }), { ...quiet, quick: true });
  expect(samples).toBe(5);
  expect(result.runs).toBe(3);
  expect(result.ours).toBe(4);
});

const twoValues = async () => ({ sample: async () => ({ value: 1, p99: 20 }) });

test("one sample can give several rows, whose warm-up does not count either", async () => {
  let count = 0;
  const ours = async () => ({
    sample: async () => {
      count += 1;
      return { value: count, p99: count * 10 };
    },
  });
  const both = row({
    ours,
    beside: { peer: twoValues },
    also: { p99: { title: "the slowest", goals: [atMost("peer", 2)] } },
  });
  const results = await new Bench().measure(both, quiet);
  expect(results.map(({ id, title, ours: value }) => [id, title, value])).toEqual([
    ["row", "a row", 4],
    ["row-p99", "the slowest", 40],
  ]);
  expect(results[1].goals).toEqual([{ text: "≤ 2 × peer", over: "peer", holds: true }]);
  const bench = new Bench();
  bench.add(both);
  expect(bench.select({ only: ["row-p99"] })).toHaveLength(1);
  expect(() => new Bench().add({ ...both, also: { p99: { title: "", goals: [atMost("nobody", 1)] } } })).toThrow(
    "not beside it",
  );
});

test("rows are chosen by id, by the beginning of an id, and by size", () => {
  const bench = new Bench();
  for (const [id, size] of [
    ["codegen-edit", 1],
    ["codegen-edit", 10],
    ["codegen-edit-disk", 10],
    ["codegen-editor", 10],
    ["plain", undefined],
  ]) {
    bench.add(row({ id, ...(size === undefined ? {} : { size }) }));
  }
  const names = (selection) =>
    bench.select(selection).map(({ id, size }) => (size === undefined ? id : `${id}:${size}`));
  expect(names({ only: ["codegen-edit"] })).toEqual(["codegen-edit:1", "codegen-edit:10", "codegen-edit-disk:10"]);
  expect(names({ sizes: [1] })).toEqual(["codegen-edit:1", "plain"]);
  expect(names({})).toHaveLength(5);
  expect(names({ only: ["codegen"], sizes: [1] })).toEqual(["codegen-edit:1"]);
  expect(() => bench.select({ only: ["nothing"] })).toThrow("`nothing` is not a row");
});

test("what cannot be a row is refused", () => {
  const bench = new Bench();
  expect(() => bench.add(row({ runs: 4 }))).toThrow("a median needs 5");
  expect(() => bench.add(row({ goals: [atMost("nobody", 1)] }))).toThrow("not beside it");
  bench.add(row());
  expect(() => bench.add(row())).toThrow("there twice");
});
