import { LunoraError } from "@lunora/errors";
import type { SchemaDefinition, TableDefinition } from "@lunora/server";
import type { AnyValidator } from "@lunora/values";

/** A table as exporters and importers see it. */
export interface TableInfo {
  readonly tier: TableDefinition["shardMode"]["kind"];
  /** The shard field. */
  readonly field?: string;
  /** Where ids stand in a row: a path, with `*` for every item or entry, `**` for every key, and the table. */
  readonly ids: readonly (readonly [path: readonly string[], table: string])[];
}

function idsOf(validator: AnyValidator, path: readonly string[]): (readonly [readonly string[], string])[] {
  const { definition } = validator;
  switch (definition.kind) {
    case "id":
      return [[path, definition.table]];
    case "optional":
    case "nullable":
      return idsOf(definition.inner, path);
    case "array":
      return idsOf(definition.item, [...path, "*"]);
    case "record":
      return [...idsOf(definition.key, [...path, "**"]), ...idsOf(definition.value, [...path, "*"])];
    case "object":
      return Object.entries(definition.fields).flatMap(([name, inner]) => idsOf(inner, [...path, name]));
    case "union":
      return definition.members.flatMap((member) => idsOf(member, path));
    default:
      return [];
  }
}

/** The tables whose rows lie in objects, and what of them decides where. */
export function tablesOf(schema: SchemaDefinition): Record<string, TableInfo> {
  const tables: Record<string, TableInfo> = {};
  for (const [name, { shardMode, columns }] of Object.entries(schema.tables)) {
    const ids = Object.entries(columns).flatMap(([field, validator]) => idsOf(validator, [field]));
    tables[name] = {
      tier: shardMode.kind,
      ...(shardMode.kind === "shardBy" ? { field: shardMode.field } : {}),
      ids,
    };
  }
  return tables;
}

/** Refuses tables that are not there, or whose rows are not in objects. */
export function assertTables(schema: SchemaDefinition, names: readonly string[]): void {
  for (const name of names) {
    const table = Object.hasOwn(schema.tables, name) ? schema.tables[name] : undefined;
    if (table === undefined) throw new LunoraError("UNKNOWN_TABLE", `there is no table \`${name}\` in the schema`);
    if (table.shardMode.kind === "global")
      throw new LunoraError("BAD_REQUEST", `the rows of \`${name}\` are in D1, which an export does not reach`);
  }
}
