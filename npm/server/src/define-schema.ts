import type { RelationDefinition, SchemaDefinition, TableDefinition } from "./definition.ts";
import type { TableBuilder } from "./define-table.ts";
import { JURISDICTIONS } from "./jurisdiction.ts";
import type { Jurisdiction } from "./jurisdiction.ts";
import { checkName, schemaError } from "./schema-error.ts";

/** Tables by name, as `defineSchema` takes them. */
export type TableBuilders = Readonly<Record<string, TableBuilder>>;

/** Tables that a component brings along; they are named `<key>_<table>` in the app's schema. */
export interface SchemaExtension {
  readonly key: string;
  readonly tables: TableBuilders;
}

/** A schema being declared. Immutable; modifiers in any order. */
export class SchemaBuilder implements SchemaDefinition {
  readonly tables: Readonly<Record<string, TableDefinition>>;
  declare readonly pinnedJurisdiction?: Jurisdiction;
  declare readonly rowLevelSecurity?: "required";

  constructor(definition: SchemaDefinition) {
    this.tables = definition.tables;
    if (definition.pinnedJurisdiction !== undefined) this.pinnedJurisdiction = definition.pinnedJurisdiction;
    if (definition.rowLevelSecurity !== undefined) this.rowLevelSecurity = definition.rowLevelSecurity;
  }

  /** Functions that touch a table without a policy are refused, unless the table is `.public()`. */
  rls(mode: "required"): SchemaBuilder {
    if (mode !== "required") throw schemaError(`\`.rls("${String(mode)}")\` is not known`, 'Write `.rls("required")`.');
    return new SchemaBuilder({ ...this, rowLevelSecurity: mode });
  }

  /** Pins every Durable Object of the app. Changing it later strands the data that is there. */
  jurisdiction(jurisdiction: Jurisdiction): SchemaBuilder {
    if (!JURISDICTIONS.includes(jurisdiction)) {
      throw schemaError(
        `\`${String(jurisdiction)}\` is not a jurisdiction`,
        `Use one of ${JURISDICTIONS.map((name) => `\`${name}\``).join(", ")}.`,
      );
    }
    const before = this.pinnedJurisdiction;
    if (before !== undefined && before !== jurisdiction)
      throw schemaError(
        `The schema is already pinned to \`${before}\`; it has one jurisdiction`,
        "Keep one `.jurisdiction(…)`.",
      );
    return new SchemaBuilder({ ...this, pinnedJurisdiction: jurisdiction });
  }

  /** Adds the tables of a component. */
  extend(extension: SchemaExtension): SchemaBuilder {
    return new SchemaBuilder({ ...this, tables: checkTables({ ...this.tables, ...prefixed(extension, this.tables) }) });
  }
}

/** Declares the schema of an app. */
export function defineSchema(tables: TableBuilders): SchemaBuilder {
  return new SchemaBuilder({ tables: checkTables(definitionsOf(tables)) });
}

/** Declares tables for `.extend`. */
export function defineSchemaExtension(key: string, options: { readonly tables: TableBuilders }): SchemaExtension {
  checkName("an extension", key);
  return { key, tables: options.tables };
}

function definitionsOf(tables: TableBuilders): Record<string, TableDefinition> {
  return Object.fromEntries(Object.entries(tables).map(([name, table]) => [name, table.definition]));
}

function prefixed(
  { key, tables }: SchemaExtension,
  present: SchemaDefinition["tables"],
): Record<string, TableDefinition> {
  const rename = (name: string): string => (Object.hasOwn(tables, name) ? `${key}_${name}` : name);
  const renamed: Record<string, TableDefinition> = {};
  for (const [name, definition] of Object.entries(definitionsOf(tables))) {
    if (Object.hasOwn(present, rename(name))) {
      throw schemaError(
        `The extension \`${key}\` brings the table \`${rename(name)}\`, which is there already`,
        "Rename one of the two tables, or extend once.",
      );
    }
    const relations = Object.entries(definition.relations).map(
      ([relationName, relation]): [string, RelationDefinition] => [
        relationName,
        { ...relation, table: rename(relation.table) },
      ],
    );
    renamed[rename(name)] = { ...definition, relations: Object.fromEntries(relations) };
  }
  return renamed;
}

function checkTables(tables: Record<string, TableDefinition>): Record<string, TableDefinition> {
  for (const [name, { relations }] of Object.entries(tables)) {
    checkName("a table", name);
    for (const [relationName, relation] of Object.entries(relations)) {
      checkRelation(`The relation \`${relationName}\` of \`${name}\``, relation, tables);
    }
  }
  return tables;
}

function checkRelation(
  who: string,
  { kind, table, field, references }: RelationDefinition,
  tables: Record<string, TableDefinition>,
): void {
  const other = Object.hasOwn(tables, table) ? tables[table] : undefined;
  if (other === undefined) {
    throw schemaError(
      `${who} points at \`${table}\`, which is not a table`,
      `The tables are ${Object.keys(tables)
        .map((name) => `\`${name}\``)
        .join(", ")}.`,
    );
  }
  const column = kind === "many" ? field : references;
  if (column !== "_id" && column !== "_creationTime" && !Object.hasOwn(other.columns, column)) {
    throw schemaError(
      `${who} names \`${column}\`, which is not a column of \`${table}\``,
      `The columns of \`${table}\` are ${Object.keys(other.columns)
        .map((name) => `\`${name}\``)
        .join(", ")}.`,
    );
  }
}
