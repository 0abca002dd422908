import { LunoraError } from "@lunora/errors";
import { canonicalJson, encodeValue } from "@lunora/protocol";
import { unwrap } from "@lunora/values";
import type { AnyValidator } from "@lunora/values";

import { bigintKey, bytesKey, isBytes, mixedKey } from "./sort-key.ts";
import { quoteText } from "./sql.ts";
import type { SqlKey } from "./sql.ts";

/**
 * How the values of a column are compared. The first three are read from the document; the others
 * have a projection in `keys`, because their JSON does not sort.
 */
export type ColumnClass = "text" | "number" | "boolean" | "bigint" | "bytes" | "mixed" | "structure";

function classOf(validator: AnyValidator): ColumnClass | "null" {
  const definition = unwrap(validator);
  switch (definition.kind) {
    case "string":
    case "id":
    case "storage":
      return "text";
    case "number":
    case "timestamp":
    case "date":
      return "number";
    case "boolean":
    case "bigint":
    case "bytes":
    case "null":
      return definition.kind;
    case "literal": {
      if (definition.value === null) return "null";
      const type = typeof definition.value;
      return type === "string" ? "text" : (type as "number" | "boolean" | "bigint");
    }
    case "union": {
      const classes = new Set(definition.members.map(classOf));
      classes.delete("null");
      const [only] = classes;
      if (only === undefined) return "null";
      return classes.size === 1 ? only : "mixed";
    }
    case "any":
    case "foreign":
      return "mixed";
    default:
      return "structure";
  }
}

/** The column of a field that every row has. */
export interface KeySource {
  readonly field: string;
  /** SQL that gives the key. */
  readonly expression: string;
  /** The key of an operand. Throws `BAD_REQUEST` when the column cannot be compared with it. */
  keyOfOperand(operand: unknown): SqlKey;
  /** The key of a stored value. */
  keyOf(value: unknown): SqlKey;
}

/** A declared column as the store sees it. */
export class Column implements KeySource {
  readonly field: string;
  readonly validator: AnyValidator;
  readonly class: ColumnClass;
  readonly expression: string;
  /** Whether objects and arrays are projected in full: only where an index needs it. */
  readonly #isIndexed: boolean;

  constructor(field: string, validator: AnyValidator, isIndexed: boolean) {
    this.field = field;
    this.validator = validator;
    const found = classOf(validator);
    this.class = found === "null" ? "text" : found;
    this.#isIndexed = isIndexed;
    const source = this.isProjected ? "keys" : "doc";
    this.expression = `json_extract(${source},${quoteText(`$."${field}"`)})`;
  }

  /** Whether the key is stored in `keys`. */
  get isProjected(): boolean {
    return this.class === "bigint" || this.class === "bytes" || this.class === "mixed" || this.class === "structure";
  }

  /** Changes when stored keys have to be computed again. */
  get signature(): string {
    return this.isProjected ? `${this.class}${this.#isIndexed ? "+" : ""}` : "";
  }

  keyOf(value: unknown): SqlKey {
    if (value === null || value === undefined) return null;
    switch (this.class) {
      case "text":
        return typeof value === "string" ? value : null;
      case "number":
        return typeof value === "number" ? (value === 0 ? 0 : value) : null;
      case "boolean":
        return typeof value === "boolean" ? Number(value) : null;
      case "bigint":
        return typeof value === "bigint" ? bigintKey(value) : null;
      case "bytes":
        return isBytes(value) ? bytesKey(value) : null;
      default:
        return mixedKey(value, (structure) => (this.#isIndexed ? canonicalJson(encodeValue(structure)) : ""));
    }
  }

  keyOfOperand(operand: unknown): SqlKey {
    if (operand === null || operand === undefined) return null;
    if (typeof operand === "string" && !operand.isWellFormed()) {
      throw new LunoraError(
        "INVALID_TEXT",
        `the operand of \`${this.field}\` has a lone surrogate, which no stored text has`,
      );
    }
    const isStructure = typeof operand === "object" && !isBytes(operand);
    const key = isStructure && !this.#isIndexed ? null : this.keyOf(operand);
    if (key === null || (typeof key === "number" && Number.isNaN(key))) {
      throw new LunoraError(
        "BAD_REQUEST",
        `\`${this.field}\` cannot be compared with ${isStructure ? "an object or array" : `a ${typeof operand}`}`,
        { data: { field: this.field } },
      );
    }
    return key;
  }
}

/** `_id` and `_creationTime`. */
class OwnColumn implements KeySource {
  readonly field: string;
  readonly expression: string;
  readonly #type: "string" | "number";

  constructor(field: string, expression: string, type: "string" | "number") {
    this.field = field;
    this.expression = expression;
    this.#type = type;
  }

  keyOf(value: unknown): SqlKey {
    return value as SqlKey;
  }

  keyOfOperand(operand: unknown): SqlKey {
    if (operand === null || operand === undefined) return null;
    if (typeof operand !== this.#type || Number.isNaN(operand)) {
      throw new LunoraError("BAD_REQUEST", `\`${this.field}\` cannot be compared with a ${typeof operand}`);
    }
    return operand as SqlKey;
  }
}

export const ID_COLUMN: KeySource = new OwnColumn("_id", "id", "string");
export const CREATION_TIME_COLUMN: KeySource = new OwnColumn("_creationTime", "_creationTime", "number");
