import { canonicalJson, encodeValue } from "@lunora/protocol";
import type { FanOutMerge } from "@lunora/protocol";

type Comparable = number | bigint | string | boolean;

function rank(value: unknown): number {
  switch (typeof value) {
    case "number":
    case "bigint":
      return 1;
    case "boolean":
      return 2;
    case "string":
      return 3;
    default:
      return value === null || value === undefined ? 0 : 4;
  }
}

/** Absent first, then numbers, booleans, texts. */
function compare(left: unknown, right: unknown): number {
  const order = rank(left) - rank(right);
  if (order !== 0) return order;
  if (rank(left) === 0 || rank(left) === 4) return 0;
  return (left as Comparable) < (right as Comparable) ? -1 : (left as Comparable) > (right as Comparable) ? 1 : 0;
}

function field(row: unknown, name: string): unknown {
  return typeof row === "object" && row !== null && Object.hasOwn(row, name)
    ? (row as Record<string, unknown>)[name]
    : undefined;
}

function sorted(rows: readonly unknown[], by: string, direction: "asc" | "desc"): unknown[] {
  const sign = direction === "desc" ? -1 : 1;
  return rows.toSorted((left, right) => sign * compare(field(left, by), field(right, by)));
}

/** Numbers and bigints add up; a bigint among numbers makes the sum one, as far as the numbers are whole. */
function sum(values: readonly unknown[]): number | bigint {
  const numbers = values.filter((value) => typeof value === "number" || typeof value === "bigint");
  if (
    numbers.some((value) => typeof value === "bigint") &&
    numbers.every((value) => typeof value === "bigint" || Number.isInteger(value))
  ) {
    return numbers.reduce((total: bigint, value) => total + BigInt(value), 0n);
  }
  return numbers.reduce((total: number, value) => total + Number(value), 0);
}

function extreme(values: readonly unknown[], sign: 1 | -1): unknown {
  let best: unknown = null;
  for (const value of values) {
    if (value === null || value === undefined) continue;
    if (best === null || sign * compare(value, best) > 0) best = value;
  }
  return best;
}

function groups(rows: readonly unknown[], merge: Extract<FanOutMerge, { kind: "groupBy" }>): unknown[] {
  const found = new Map<string, { key: unknown; values: unknown[] }>();
  for (const row of rows) {
    const key = field(row, merge.by) ?? null;
    const text = canonicalJson(encodeValue(key));
    const group = found.get(text) ?? { key, values: [] };
    group.values.push(field(row, merge.value));
    found.set(text, group);
  }
  const reduce = {
    sum,
    count: (values: unknown[]) => values.length,
    min: (values: unknown[]) => extreme(values, -1),
    max: (values: unknown[]) => extreme(values, 1),
  };
  return [...found.values()]
    .map(({ key, values }) => ({ [merge.by]: key, [merge.value]: reduce[merge.operation](values) }))
    .toSorted((left, right) => compare(left[merge.by], right[merge.by]));
}

/** Whether each shard has to answer with an array. */
export function mergesRows(merge: FanOutMerge): boolean {
  return merge.kind === "concat" || merge.kind === "topK" || merge.kind === "groupBy";
}

/** One result out of those of the shards, which are in the order of the shards' names. */
export function mergeResults(merge: FanOutMerge, results: readonly unknown[]): unknown {
  switch (merge.kind) {
    case "concat": {
      const rows = (results as unknown[][]).flat();
      return merge.by == null ? rows : sorted(rows, merge.by, merge.direction ?? "asc");
    }
    case "topK":
      return sorted((results as unknown[][]).flat(), merge.by, merge.direction).slice(0, merge.k);
    case "first":
      return results.find((result) => result !== null && result !== undefined) ?? null;
    case "sum":
      return sum(results);
    case "min":
      return extreme(results, -1);
    case "max":
      return extreme(results, 1);
    case "groupBy":
      return groups((results as unknown[][]).flat(), merge);
  }
}
