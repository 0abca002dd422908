import type { PolicyCondition } from "@lunora/server";

import type { ConditionParts } from "../../live/shape-predicate.ts";
import type { Table } from "../../table.ts";
import { valueText } from "./value-text.ts";

/** Who asks for a clause: the shape itself, a row policy, or the rule that hides rows marked as deleted. */
export type ClauseSource = "where" | "policy" | "softDelete";

/** A part of a condition. */
export interface Clause {
  readonly source: ClauseSource;
  /** As it would be written. */
  readonly text: string;
  /** Of a test of one column, that column; of a combination, those of its parts. */
  readonly columns: readonly string[];
  /** What a single column is compared with. */
  readonly operands: readonly unknown[];
  /** The part as a condition of its own; `false` holds for no row. */
  readonly where: Readonly<Record<string, unknown>> | false;
  /** What a combination consists of. */
  readonly parts: readonly Clause[];
}

type Conditions = Readonly<Record<string, unknown>>;

function isPlain(value: unknown): value is Conditions {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function leaf(source: ClauseSource, column: string, operator: string, operand: unknown): Clause {
  const isList = (operator === "in" || operator === "notIn") && Array.isArray(operand);
  return {
    source,
    text: `${column} ${operator} ${isList ? `[${operand.map(valueText).join(", ")}]` : valueText(operand)}`,
    columns: [column],
    operands: isList ? operand : [operand],
    where: { [column]: { [operator]: operand } },
    parts: [],
  };
}

function joined(clauses: readonly Clause[], word: "AND" | "OR"): string {
  if (clauses.length === 0) return word === "AND" ? "every row" : "no row";
  return clauses.map(({ text, parts }) => (parts.length > 1 ? `(${text})` : text)).join(` ${word} `);
}

function combination(source: ClauseSource, text: string, where: Conditions, parts: readonly Clause[]): Clause {
  return { source, text, columns: [...new Set(parts.flatMap(({ columns }) => columns))], operands: [], where, parts };
}

/** A condition as one clause. */
function whole(source: ClauseSource, where: Conditions): Clause {
  const parts = clausesOf(source, where);
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : combination(source, joined(parts, "AND"), where, parts);
}

/** The clauses that all have to hold, of a condition as `where` takes it. */
export function clausesOf(source: ClauseSource, where: Conditions): Clause[] {
  return Object.entries(where).flatMap(([key, condition]): Clause[] => {
    switch (key) {
      case "AND":
        return (condition as Conditions[]).flatMap((part) => clausesOf(source, part));
      case "OR": {
        const parts = (condition as Conditions[]).map((part) => whole(source, part));
        return [combination(source, joined(parts, "OR"), { OR: condition }, parts)];
      }
      case "NOT": {
        const part = whole(source, condition as Conditions);
        return [combination(source, `NOT (${part.text})`, { NOT: condition }, [part])];
      }
      default:
        if (!isPlain(condition)) return [leaf(source, key, "eq", condition)];
        return Object.entries(condition).map(([operator, operand]) => leaf(source, key, operator, operand));
    }
  });
}

function allowedClauses(allowed: PolicyCondition): Clause[] {
  if (allowed === undefined) return [];
  if (allowed !== false) return clausesOf("policy", allowed);
  return [{ source: "policy", text: "no row", columns: [], operands: [], where: false, parts: [] }];
}

/** Every clause that the rows of a shape have to meet, in the order in which the condition has them. */
export function clausesOfShape(table: Table, { own, allowed }: ConditionParts): Clause[] {
  const { softDelete } = table.definition;
  return [
    ...(own === undefined ? [] : clausesOf("where", own as Conditions)),
    ...allowedClauses(allowed),
    ...(softDelete === undefined ? [] : [leaf("softDelete", softDelete.field, "isNull", true)]),
  ];
}
