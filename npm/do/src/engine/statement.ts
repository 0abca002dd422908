import { LunoraError } from "@lunora/errors";

import type { SqlCursor, SqlKey, SqlStorage, SqlValue } from "./sql.ts";

/** Stands for a value in the text of a fragment; no name or literal may contain it. */
export const SLOT = "\u0000";

/** Statements take 100 bound values; the rest is kept for those added at the end. */
const BOUND_VALUES = 90;

/** SQLite refuses statements of 100,000 bytes and expressions of depth 100. */
const STATEMENT_LENGTH = 90_000;
const EXPRESSION_DEPTH = 90;

/** A piece of SQL with its values. */
export interface Fragment {
  readonly text: string;
  readonly values: readonly SqlKey[];
  /** Depth of the expression tree that the text becomes. */
  readonly depth: number;
}

/** A fragment without values. */
export function raw(text: string, depth = 1): Fragment {
  return { text, values: [], depth };
}

/** A value. */
export function slot(value: SqlKey): Fragment {
  return { text: SLOT, values: [value], depth: 1 };
}

/** Joins texts and fragments; one level deeper than its deepest part. */
export function sql(texts: TemplateStringsArray, ...parts: readonly (Fragment | string)[]): Fragment {
  let text = texts[0] ?? "";
  const values: SqlKey[] = [];
  let depth = 0;
  parts.forEach((part, index) => {
    if (typeof part === "string") {
      text += part;
    } else {
      text += part.text;
      values.push(...part.values);
      depth = Math.max(depth, part.depth);
    }
    text += texts[index + 1] ?? "";
  });
  return { text, values, depth: depth + 1 };
}

/**
 * All or any of the conditions, as a balanced tree: SQLite nests `a AND b AND c` to the left, so a
 * flat list of 100 would already be too deep.
 */
export function combine(conditions: readonly Fragment[], operator: "AND" | "OR"): Fragment {
  if (conditions.length === 0) return raw(operator === "AND" ? "1" : "0");
  if (conditions.length === 1) return conditions[0] as Fragment;
  const middle = Math.ceil(conditions.length / 2);
  const left = combine(conditions.slice(0, middle), operator);
  const right = combine(conditions.slice(middle), operator);
  return sql`(${left} ${operator} ${right})`;
}

/** Concatenates without adding depth: for clauses of a statement. */
export function clauses(...parts: readonly (Fragment | undefined)[]): Fragment {
  const present = parts.filter((part) => part !== undefined);
  return {
    text: present.map((part) => part.text).join(" "),
    values: present.flatMap((part) => part.values),
    depth: Math.max(0, ...present.map((part) => part.depth)),
  };
}

/**
 * Integers beyond 2^53 are read from a document's JSON as 64-bit integers, which the double that
 * a binding would be does not equal. Reading the value from JSON as well makes both sides alike.
 */
export function needsJson(value: SqlValue): value is number {
  return typeof value === "number" && Math.abs(value) > Number.MAX_SAFE_INTEGER;
}

/** Text and bindings of a finished statement. */
export function render(fragment: Fragment): { text: string; bindings: SqlValue[] } {
  if (fragment.depth > EXPRESSION_DEPTH) {
    throw new LunoraError("QUERY_TOO_COMPLEX", "the condition is nested too deeply for one statement", {
      data: { depth: fragment.depth },
    });
  }
  const pieces = fragment.text.split(SLOT);
  const spill = fragment.values.length > BOUND_VALUES;
  let text = pieces[0] ?? "";
  const bindings: SqlValue[] = [];
  fragment.values.forEach((value, index) => {
    if (spill) {
      text += `json_extract(?1,'$[${index}]')`;
    } else if (needsJson(value)) {
      text += "json_extract(?,'$')";
      bindings.push(JSON.stringify(value));
    } else {
      text += "?";
      bindings.push(value);
    }
    text += pieces[index + 1] ?? "";
  });
  if (spill) bindings.push(JSON.stringify(fragment.values));
  if (text.length > STATEMENT_LENGTH) {
    throw new LunoraError("QUERY_TOO_COMPLEX", "the condition has too many parts for one statement", {
      data: { length: text.length },
    });
  }
  return { text, bindings };
}

/** Runs a finished statement. */
export function run(storage: SqlStorage, fragment: Fragment): SqlCursor {
  const { text, bindings } = render(fragment);
  return storage.exec(text, ...bindings);
}
