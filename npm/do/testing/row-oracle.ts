import { Random } from "./random.ts";
import type { Loose } from "./loose.ts";

/** What the store should answer, worked out the slow and obvious way. */

const encoder = new TextEncoder();

function compareBytes(left: Uint8Array, right: Uint8Array): number {
  for (let index = 0; index < Math.min(left.length, right.length); index += 1) {
    const order = (left[index] as number) - (right[index] as number);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function rank(value: unknown): number {
  if (value === null || value === undefined) return 0;
  const kinds = ["bigint", "number", "boolean", "string"];
  return value instanceof ArrayBuffer ? 5 : kinds.indexOf(typeof value) + 1;
}

/** Absent, bigints, numbers, booleans, texts by UTF-8, bytes. */
export function compareValues(left: Loose, right: Loose): number {
  const order = rank(left) - rank(right);
  if (order !== 0 || rank(left) === 0) return order;
  if (typeof left === "string") return compareBytes(encoder.encode(left), encoder.encode(right));
  if (left instanceof ArrayBuffer) return compareBytes(new Uint8Array(left), new Uint8Array(right));
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Rows in the order of the fields, then of creation. */
export function sortRows(
  rows: readonly Loose[],
  orders: readonly (readonly [field: string, direction: "asc" | "desc"])[],
): Loose[] {
  const direction = orders.at(-1)?.[1] ?? "asc";
  const all = [...orders, ["_creationTime", direction] as const];
  return rows.toSorted((left, right) => {
    for (const [field, way] of all) {
      const order = compareValues(left[field], right[field]);
      if (order !== 0) return way === "desc" ? -order : order;
    }
    return 0;
  });
}

function holds(row: Loose, field: string, operator: string, operand: Loose): boolean {
  const value = row[field] ?? null;
  switch (operator) {
    case "eq":
      return compareValues(value, operand) === 0;
    case "ne":
      return compareValues(value, operand) !== 0;
    case "in":
      return operand.some((item: unknown) => compareValues(value, item) === 0);
    case "notIn":
      return operand.every((item: unknown) => compareValues(value, item) !== 0);
    case "isNull":
      return (value === null) === operand;
    case "contains":
      return value !== null && value.includes(operand);
    default: {
      if (value === null) return false;
      const order = compareValues(value, operand);
      if (operator === "lt") return order < 0;
      if (operator === "lte") return order <= 0;
      return operator === "gt" ? order > 0 : order >= 0;
    }
  }
}

/** Whether the row is one that the condition means. */
export function matches(row: Loose, where: Loose): boolean {
  return Object.entries(where).every(([key, condition]: [string, Loose]) => {
    if (key === "AND") return condition.every((part: Loose) => matches(row, part));
    if (key === "OR") return condition.some((part: Loose) => matches(row, part));
    if (key === "NOT") return !matches(row, condition);
    if (typeof condition !== "object" || condition === null || condition instanceof ArrayBuffer)
      return holds(row, key, "eq", condition);
    return Object.entries(condition).every(([operator, operand]) => holds(row, key, operator, operand));
  });
}

const bytes = (...values: number[]): ArrayBuffer => new Uint8Array(values).buffer;
const TEXTS = ["", "a", "A", "aa", "b", "\u00e9", "\uffee", "\u{1f600}", "a\u0000", "%", "_"];
const NUMBERS = [0, 1, -1, 1.5, 2 ** 53 + 2, 2 ** 60, -(2 ** 60), 1e300, 5e-324, 0.1 + 0.2];
const BIGINTS = [0n, 1n, -1n, 9n, 10n, -9n, -10n, 2n ** 53n + 1n, 2n ** 53n, -(2n ** 80n), 2n ** 80n];
const BYTES = [bytes(), bytes(0), bytes(0, 0), bytes(255), bytes(1, 2)];

/** Values of each column of the `values` table, few enough that rows share them. */
export const POOLS: Readonly<Record<string, readonly unknown[]>> = {
  text: TEXTS,
  number: NUMBERS,
  flag: [true, false],
  big: BIGINTS,
  bin: BYTES,
  mixed: [...TEXTS.slice(0, 4), ...NUMBERS, ...BIGINTS, true, false, ...BYTES],
  nothing: [null, "x"],
};

/** Columns of one row. */
export function randomRow(random: Random): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (const [field, pool] of Object.entries(POOLS)) if (random.chance(0.75)) row[field] = random.pick(pool);
  return row;
}

/** A condition over the columns. */
export function randomWhere(random: Random, depth = 3): Loose {
  if (depth > 0 && random.chance(0.4)) {
    const parts = Array.from({ length: random.below(3) + 1 }, () => randomWhere(random, depth - 1));
    return random.pick([{ AND: parts }, { OR: parts }, { NOT: parts[0] }]);
  }
  const field = random.pick(Object.keys(POOLS));
  const pool = POOLS[field] as readonly unknown[];
  const present = pool.filter((value) => value !== null);
  const list = Array.from({ length: random.below(4) }, () => random.pick([...pool, null]));
  const conditions: Loose[] = [
    { eq: random.pick(pool) },
    { ne: random.pick([...pool, null]) },
    { in: list },
    { notIn: list },
    { isNull: random.chance(0.5) },
    { lt: random.pick(present) },
    { lte: random.pick(present) },
    { gt: random.pick(present) },
    { gte: random.pick(present), lt: random.pick(present) },
    random.pick([...pool, null]),
  ];
  if (field === "text") conditions.push({ contains: random.pick(TEXTS) });
  return { [field]: random.pick(conditions) };
}
