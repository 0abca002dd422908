import { unwrap } from "@lunora/values";
import type { AnyValidator, Infer, InferFields, ValidatorMap } from "@lunora/values";

import type { IndexDefinition, RelationDefinition, TableDefinition, TriggerDefinition } from "./definition.ts";
import { relationBuilder } from "./relation-builder.ts";
import type { RelationBuilder } from "./relation-builder.ts";
import { checkColumnName, checkName, schemaError } from "./schema-error.ts";
import { triggerBuilder } from "./trigger-builder.ts";
import type { TriggerBuilder } from "./trigger-builder.ts";
import type { Untyped } from "./untyped.ts";

type ColumnNames<Columns extends ValidatorMap> = keyof Columns & string;

/** Columns whose value always is a `Value`. */
type ColumnsOf<Columns extends ValidatorMap, Value> = {
  [Name in ColumnNames<Columns>]: [Infer<Columns[Name]>] extends [Value] ? Name : never;
}[ColumnNames<Columns>];

/** Columns whose value, where there is one, is a number. */
type TimeColumns<Columns extends ValidatorMap> = {
  [Name in ColumnNames<Columns>]: [NonNullable<Infer<Columns[Name]>>] extends [number] ? Name : never;
}[ColumnNames<Columns>];

type SystemField = "_id" | "_creationTime";
const SYSTEM_FIELDS: readonly string[] = ["_id", "_creationTime"] satisfies SystemField[];

/** Whether the values have one text form each, so that they can name a shard. */
function canNameShard({ definition }: AnyValidator): boolean {
  switch (definition.kind) {
    case "string":
    case "id":
    case "number":
    case "bigint":
      return true;
    case "literal":
      return definition.value !== null && typeof definition.value !== "boolean";
    case "union":
      return definition.members.every(canNameShard);
    default:
      return false;
  }
}

function mayBeEmpty({ definition }: AnyValidator): boolean {
  return definition.kind === "optional" || definition.kind === "nullable";
}

/** A table being declared. Immutable: every modifier returns another one. */
export class TableBuilder<Columns extends ValidatorMap = ValidatorMap> {
  /** The table as data. */
  readonly definition: TableDefinition;
  /** Never present at run time. */
  declare readonly "~columns": Columns;

  constructor(definition: TableDefinition) {
    this.definition = definition;
  }

  /** An index over columns in order, their leading ones usable alone. */
  index<const Name extends string>(
    name: Name,
    fields: readonly (ColumnNames<Columns> | SystemField)[],
    options: { readonly unique?: boolean } = {},
  ): TableBuilder<Columns> {
    checkName("an index", name);
    if (name === "by_creation") {
      throw schemaError("The index `by_creation` is always there", "Give your index another name.");
    }
    if (fields.length === 0) throw schemaError(`The index \`${name}\` has no fields`, "Name at least one column.");
    if (new Set(fields).size !== fields.length) {
      throw schemaError(`The index \`${name}\` names a column twice`, "Name each column once.");
    }
    for (const field of fields) if (!SYSTEM_FIELDS.includes(field)) this.#column(field, `the index \`${name}\``);
    return this.#withIndex({ name, fields: [...fields], unique: options.unique ?? false });
  }

  /** Foreign keys, in this table or pointing at it. */
  relations(
    declare: (builder: RelationBuilder<ColumnNames<Columns>>) => Readonly<Record<string, RelationDefinition>>,
  ): TableBuilder<Columns> {
    const relations = declare(relationBuilder as RelationBuilder<Untyped>);
    for (const [name, relation] of Object.entries(relations)) {
      checkName("a relation", name);
      if (Object.hasOwn(this.definition.columns, name)) {
        throw schemaError(
          `The relation \`${name}\` has the name of a column`,
          "Give the relation another name: both appear in a row.",
        );
      }
      if (relation.kind === "one") this.#checkForeignKey(name, relation);
    }
    return this.#with({ relations: { ...this.definition.relations, ...relations } });
  }

  /** Code that runs inside the write, in the same transaction. */
  triggers(
    declare: (builder: TriggerBuilder<InferFields<Columns>>) => Readonly<Record<string, TriggerDefinition>>,
  ): TableBuilder<Columns> {
    return this.#with({ triggers: { ...this.definition.triggers, ...declare(triggerBuilder) } });
  }

  /** One shard for each value of the column. */
  shardBy(field: ColumnsOf<Columns, string | number | bigint>): TableBuilder<Columns> {
    if (!canNameShard(this.#column(field, "`.shardBy`"))) {
      throw schemaError(
        `\`.shardBy("${field}")\` needs a value that is always there and has one text form`,
        "Use a required string, id, number or bigint column.",
      );
    }
    return this.#withShardMode({ kind: "shardBy", field });
  }

  /**
   * Across all shards, in the D1 database that is bound as `DB`. A mutation that writes such tables writes nothing else, in one
   * batch when its handler has ended, and its handler may run again when somebody else was faster.
   */
  global(): TableBuilder<Columns> {
    return this.#withShardMode({ kind: "global" });
  }

  /** In the shard of whatever function touches it. */
  colocated(): TableBuilder<Columns> {
    return this.#withShardMode({ kind: "colocated" });
  }

  /**
   * `delete` writes the time into the column (`deletedAt` unless stated) instead of removing the
   * row; reads leave such rows out.
   */
  softDelete(options: { readonly field?: TimeColumns<Columns> } = {}): TableBuilder<Columns> {
    const field: string = options.field ?? "deletedAt";
    if (!mayBeEmpty(this.#timeColumn(field, "`.softDelete`"))) {
      throw schemaError(
        `\`.softDelete\` leaves \`${field}\` empty until a row is deleted, and the column is required`,
        `Write \`${field}: v.optional(v.number())\`.`,
      );
    }
    return this.#with({ softDelete: { field } });
  }

  /** Rows expire `after` milliseconds (0 unless stated) after the time in the column. */
  ttl(field: TimeColumns<Columns> | "_creationTime", options: { readonly after?: number } = {}): TableBuilder<Columns> {
    const after = options.after ?? 0;
    if (!Number.isFinite(after) || after < 0) {
      throw schemaError(`\`after\` of \`.ttl\` is \`${after}\``, "Give milliseconds, zero or more.");
    }
    if (field !== "_creationTime") this.#timeColumn(field, "`.ttl`");
    return this.#with({ timeToLive: { field, after } });
  }

  /** Exempt from `.rls("required")`. */
  public(): TableBuilder<Columns> {
    return this.#with({ isPublic: true });
  }

  #with(change: Partial<TableDefinition>): TableBuilder<Columns> {
    return new TableBuilder({ ...this.definition, ...change });
  }

  #withIndex(index: IndexDefinition): TableBuilder<Columns> {
    if (this.definition.indexes.some(({ name }) => name === index.name)) {
      throw schemaError(`There are two indexes named \`${index.name}\``, "Give one of them another name.");
    }
    return this.#with({ indexes: [...this.definition.indexes, index] });
  }

  #withShardMode(shardMode: TableDefinition["shardMode"]): TableBuilder<Columns> {
    const { kind } = this.definition.shardMode;
    if (kind !== "root") {
      throw schemaError(
        `A table cannot be both \`.${kind}()\` and \`.${shardMode.kind}()\``,
        "Keep one: it decides where the rows live.",
      );
    }
    return this.#with({ shardMode });
  }

  #column(field: string, user: string): AnyValidator {
    const column = Object.hasOwn(this.definition.columns, field) ? this.definition.columns[field] : undefined;
    if (column === undefined) {
      throw schemaError(
        `${user} names \`${field}\`, which is not a column`,
        `The columns are ${Object.keys(this.definition.columns)
          .map((name) => `\`${name}\``)
          .join(", ")}.`,
      );
    }
    return column;
  }

  #timeColumn(field: string, user: string): AnyValidator {
    const column = this.#column(field, user);
    const { kind } = unwrap(column);
    if (kind !== "number" && kind !== "timestamp" && kind !== "date") {
      throw schemaError(
        `${user} needs a time, and the column \`${field}\` is \`${kind}\``,
        "Use `v.timestamp()`, `v.date()` or `v.number()`.",
      );
    }
    return column;
  }

  #checkForeignKey(name: string, { field, onDelete }: RelationDefinition): void {
    if (SYSTEM_FIELDS.includes(field)) return;
    const column = this.#column(field, `the relation \`${name}\``);
    if (onDelete === "set null" && !mayBeEmpty(column)) {
      throw schemaError(
        `The relation \`${name}\` sets \`${field}\` to null on delete, and the column takes no null`,
        `Write \`${field}: v.optional(…)\` or \`.nullable()\`, or choose \`cascade\` or \`restrict\`.`,
      );
    }
  }
}

/** Declares a table by its columns. `_id` and `_creationTime` are always there. */
export function defineTable<const Columns extends ValidatorMap>(columns: Columns): TableBuilder<Columns> {
  const indexes: IndexDefinition[] = [];
  for (const [name, column] of Object.entries(columns)) {
    checkColumnName(name);
    if (column.column.isUnique) indexes.push({ name: `unique_${name}`, fields: [name], unique: true });
  }
  return new TableBuilder({
    columns,
    shardMode: { kind: "root" },
    indexes,
    relations: {},
    triggers: {},
    isPublic: false,
  });
}
