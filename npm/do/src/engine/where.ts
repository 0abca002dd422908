import { LunoraError } from "@lunora/errors";

import { Column } from "./column.ts";
import type { KeySource } from "./column.ts";
import { combine, raw, slot, sql } from "./statement.ts";
import type { Fragment } from "./statement.ts";
import { quoteText } from "./sql.ts";
import type { SqlKey } from "./sql.ts";
import type { Table } from "./table.ts";

/** Deepest nesting of `AND`, `OR` and `NOT`. */
const NESTING = 32;

const OPERATORS = new Set(["eq", "ne", "in", "notIn", "lt", "lte", "gt", "gte", "isNull", "contains"]);
const COMPARISONS: Readonly<Record<string, string>> = { lt: "<", lte: "<=", gt: ">", gte: ">=" };

function refuse(message: string, field?: string): never {
  throw new LunoraError("BAD_REQUEST", message, field === undefined ? {} : { data: { field } });
}

function isObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** What a condition that is `undefined` matches: nothing. A value that is missing must not find everything. */
const NOTHING = raw("0");

/** Compiles a `where` to SQL. Absent and `null` columns are the same; a comparison with them is false. */
export function compileWhere(table: Table, where: unknown, depth = 0): Fragment | undefined {
  if (where === undefined) return undefined;
  if (!isObject(where)) refuse("`where` has to be an object of conditions");
  if (depth > NESTING) throw new LunoraError("QUERY_TOO_COMPLEX", `\`where\` is nested deeper than ${NESTING} levels`);
  const parts: Fragment[] = [];
  for (const [key, condition] of Object.entries(where)) {
    if (condition === undefined) {
      parts.push(NOTHING);
      continue;
    }
    switch (key) {
      case "AND":
      case "OR": {
        if (!Array.isArray(condition)) refuse(`\`${key}\` has to be an array of conditions`);
        const inner = condition.map((part: unknown) =>
          part === undefined ? NOTHING : (compileWhere(table, part, depth + 1) ?? raw("1")),
        );
        parts.push(combine(inner, key));
        break;
      }
      case "NOT": {
        const inner = compileWhere(table, condition, depth + 1) ?? raw("1");
        // Comparisons with NULL are NULL: `IS TRUE` makes them false before they are negated.
        parts.push(sql`NOT (${inner} IS TRUE)`);
        break;
      }
      default: {
        const source = table.source(key);
        if (source === undefined) refuse(`\`where\` names \`${key}\`, which is not a column of \`${table.name}\``, key);
        parts.push(...compileField(source, condition));
      }
    }
  }
  return combine(parts, "AND");
}

function equalTo(source: KeySource, operand: unknown): Fragment {
  const key = source.keyOfOperand(operand);
  return key === null ? raw(`${source.expression} IS NULL`, 2) : sql`${source.expression} = ${slot(key)}`;
}

/** Membership with one bound value, however long the list. */
function oneOf(source: KeySource, operands: unknown, negated: boolean): Fragment {
  if (!Array.isArray(operands))
    refuse(`\`${negated ? "notIn" : "in"}\` of \`${source.field}\` has to be an array`, source.field);
  const keys = operands.map((operand) => source.keyOfOperand(operand));
  const present: SqlKey[] = keys.filter((key) => key !== null);
  const hasNull = present.length < keys.length;
  const { expression } = source;
  const list = slot(JSON.stringify(present));
  if (!negated) {
    const member = sql`${expression} IN (SELECT value FROM json_each(${list}))`;
    return hasNull ? sql`(${member} OR ${expression} IS NULL)` : member;
  }
  const outside = sql`${expression} NOT IN (SELECT value FROM json_each(${list}))`;
  return hasNull ? sql`(${expression} IS NOT NULL AND ${outside})` : sql`(${expression} IS NULL OR ${outside})`;
}

function contains(source: KeySource, operand: unknown): Fragment {
  const definition = source instanceof Column ? source.class : "text";
  if (definition === "structure") {
    if (typeof operand !== "string" && typeof operand !== "number" && typeof operand !== "boolean") {
      refuse(`\`contains\` of \`${source.field}\` takes a string, number or boolean`, source.field);
    }
    const value = typeof operand === "boolean" ? Number(operand) : operand;
    const type =
      typeof operand === "boolean" ? `('${operand}')` : typeof operand === "string" ? "('text')" : "('integer','real')";
    const path = quoteText(`$."${source.field}"`);
    return sql`EXISTS (SELECT 1 FROM json_each(doc,${path}) AS item WHERE item.type IN ${type} AND item.value = ${slot(value)})`;
  }
  if (definition !== "text" || typeof operand !== "string") {
    refuse(`\`contains\` of \`${source.field}\` needs a string or array column and a matching operand`, source.field);
  }
  // Not LIKE: its patterns are limited to 50 bytes.
  return sql`instr(${source.expression}, ${slot(operand)}) > 0`;
}

function compileField(source: KeySource, condition: unknown): Fragment[] {
  if (!isObject(condition)) return [equalTo(source, condition)];
  return Object.entries(condition).flatMap(([operator, operand]) => {
    if (!OPERATORS.has(operator)) refuse(`\`${operator}\` is not an operator on \`${source.field}\``, source.field);
    return [operand === undefined ? NOTHING : compileOperator(source, operator, operand)];
  });
}

function compileOperator(source: KeySource, operator: string, operand: unknown): Fragment {
  const { expression } = source;
  switch (operator) {
    case "eq":
      return equalTo(source, operand);
    case "ne": {
      const key = source.keyOfOperand(operand);
      return key === null ? raw(`${expression} IS NOT NULL`, 2) : sql`${expression} IS NOT ${slot(key)}`;
    }
    case "in":
    case "notIn":
      return oneOf(source, operand, operator === "notIn");
    case "isNull":
      if (typeof operand !== "boolean")
        refuse(`\`isNull\` of \`${source.field}\` has to be true or false`, source.field);
      return raw(`${expression} IS ${operand ? "" : "NOT "}NULL`, 2);
    case "contains":
      return contains(source, operand);
    default: {
      const key = source.keyOfOperand(operand);
      if (key === null) refuse(`\`${operator}\` of \`${source.field}\` cannot take null; use \`isNull\``, source.field);
      return sql`${expression} ${COMPARISONS[operator] as string} ${slot(key)}`;
    }
  }
}
