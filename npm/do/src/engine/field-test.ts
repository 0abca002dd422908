import type { KeySource } from "./column.ts";
import { decodeRow } from "./document.ts";
import type { Document, StoredRow } from "./document.ts";
import type { Bound } from "./index-walk.ts";
import { compareKeys } from "./sort-key.ts";
import type { SqlKey } from "./sql.ts";
import type { Table } from "./table.ts";

/** A condition on one column that every row of a read meets. Rows that meet it need not be of the read. */
export interface FieldTest {
  readonly source: KeySource;
  readonly oneOf?: ReadonlySet<SqlKey>;
  readonly lower?: Bound;
  readonly upper?: Bound;
}

/** The key of a column in a row, or `undefined` when only SQLite knows it. */
export function keyIn(source: KeySource, document: Document): SqlKey | undefined {
  const value = Object.hasOwn(document, source.field) ? document[source.field] : undefined;
  const key = source.keyOf(value);
  // A value that its column's class cannot hold: the column had another type when the row was written.
  if (key === null) return value === null || value === undefined ? null : undefined;
  // What JSON has no number for is stored as a tagged array.
  return typeof key === "number" && !Number.isFinite(key) ? undefined : key;
}

/** Whether the row may meet the test; "no" is certain. */
function mayPass({ source, oneOf, lower, upper }: FieldTest, document: Document): boolean {
  const key = keyIn(source, document);
  if (key === undefined) return true;
  if (oneOf !== undefined && !oneOf.has(key)) return false;
  if (lower === undefined && upper === undefined) return true;
  // Comparisons with an absent value are false.
  if (key === null) return false;
  if (lower !== undefined) {
    const order = compareKeys(key, lower.key);
    if (order < 0 || (order === 0 && !lower.inclusive)) return false;
  }
  if (upper !== undefined) {
    const order = compareKeys(key, upper.key);
    if (order > 0 || (order === 0 && !upper.inclusive)) return false;
  }
  return true;
}

/** Whether the row may meet all tests; "no" is certain. */
export function mayPassAll(tests: readonly FieldTest[], document: Document): boolean {
  return tests.every((test) => mayPass(test, document));
}

/** No value: what a condition that is `undefined` takes. */
const NOTHING: ReadonlySet<SqlKey> = new Set();

const documents = new WeakMap<StoredRow, Document>();

/** The row decoded; once, however many reads look at the same change. Not to be changed. */
export function documentOf(table: Table, row: StoredRow): Document {
  let document = documents.get(row);
  if (document === undefined) documents.set(row, (document = decodeRow(table, row)));
  return document;
}

/** Conditions of a `where` that name one column each and hold for every row it finds; the rest is left out. */
export function testsOfWhere(table: Table, where: unknown): FieldTest[] {
  if (typeof where !== "object" || where === null) return [];
  return Object.entries(where).flatMap(([key, condition]: [string, unknown]): FieldTest[] => {
    if (key === "OR" || key === "NOT") return [];
    if (key === "AND")
      return Array.isArray(condition) ? condition.flatMap((part: unknown) => testsOfWhere(table, part)) : [];
    const source = table.source(key);
    if (source === undefined) return [];
    return condition === undefined ? [{ source, oneOf: NOTHING }] : testsOfField(source, condition);
  });
}

/** Whether the tests can tell of the row with certainty: all their keys are known. */
export function knowsAll(tests: readonly FieldTest[], document: Document): boolean {
  return tests.every(({ source }) => keyIn(source, document) !== undefined);
}

/**
 * Whether the tests of a `where` say all of it, and no more than that texts are equal, which is the
 * same for SQLite and JavaScript without a second thought.
 */
export function isTextEquality(table: Table, where: unknown): boolean {
  if (where === undefined) return true;
  if (typeof where !== "object" || where === null) return false;
  return Object.entries(where).every(([field, condition]: [string, unknown]) => {
    const operand = isOperators(condition) && Object.keys(condition).length === 1 ? condition["eq"] : condition;
    const isText = typeof operand === "string" && !operand.includes("\u0000");
    return isText && table.columns.get(field)?.class === "text";
  });
}

function isOperators(condition: unknown): condition is Readonly<Record<string, unknown>> {
  if (typeof condition !== "object" || condition === null) return false;
  const prototype: unknown = Object.getPrototypeOf(condition);
  return prototype === Object.prototype || prototype === null;
}

function testsOfField(source: KeySource, condition: unknown): FieldTest[] {
  if (!isOperators(condition)) return [{ source, oneOf: new Set([source.keyOfOperand(condition)]) }];
  return Object.entries(condition).flatMap(([operator, operand]): FieldTest[] => {
    if (operand === undefined) return [{ source, oneOf: NOTHING }];
    switch (operator) {
      case "eq":
        return [{ source, oneOf: new Set([source.keyOfOperand(operand)]) }];
      case "in":
        return [{ source, oneOf: new Set((operand as unknown[]).map((item) => source.keyOfOperand(item))) }];
      case "isNull":
        return operand === true ? [{ source, oneOf: new Set([null]) }] : [];
      case "lt":
      case "lte":
        return [{ source, upper: { key: source.keyOfOperand(operand), inclusive: operator === "lte" } }];
      case "gt":
      case "gte":
        return [{ source, lower: { key: source.keyOfOperand(operand), inclusive: operator === "gte" } }];
      default:
        return [];
    }
  });
}
