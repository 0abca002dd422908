import { LunoraError } from "@lunora/errors";
import type { OnDelete, SchemaDefinition } from "@lunora/server";

import { Table } from "./table.ts";

/** A foreign key that points at a table, seen from there. */
export interface IncomingRelation {
  /** The table that holds the foreign key. */
  readonly table: Table;
  /** Its field. */
  readonly field: string;
  /** The field of this table that is pointed at. */
  readonly references: string;
  readonly onDelete: OnDelete;
}

/** All tables of an app. */
export class Schema {
  readonly tables: ReadonlyMap<string, Table>;
  /** Whether functions may touch only tables that they have policies for. */
  readonly needsPolicies: boolean;
  readonly #incoming = new Map<string, IncomingRelation[]>();

  constructor(definition: SchemaDefinition) {
    this.tables = new Map(Object.entries(definition.tables).map(([name, table]) => [name, new Table(name, table)]));
    this.needsPolicies = definition.rowLevelSecurity === "required";
    this.#checkNames();
    for (const table of this.tables.values()) {
      for (const [relationName, relation] of Object.entries(table.definition.relations)) {
        const other = this.tables.get(relation.table);
        const [holder, target] = relation.kind === "one" ? [table, other] : [other, table];
        if (holder?.source(relation.field) === undefined || target?.source(relation.references) === undefined) {
          throw new LunoraError(
            "SCHEMA_INVALID",
            `relation \`${relationName}\` of \`${table.name}\` needs the columns \`${relation.field}\` and \`${relation.references}\` and the table \`${relation.table}\``,
          );
        }
        if (relation.kind === "many" || relation.onDelete === undefined) continue;
        const incoming = this.#incoming.get(relation.table) ?? [];
        incoming.push({ table, field: relation.field, references: relation.references, onDelete: relation.onDelete });
        this.#incoming.set(relation.table, incoming);
      }
    }
  }

  /** SQLite has one space of names for tables and indexes, in which case does not count. */
  #checkNames(): void {
    const taken = new Map<string, string>();
    const take = (sqlName: string, what: string): void => {
      const other = taken.get(sqlName.toLowerCase());
      if (other !== undefined) {
        throw new LunoraError(
          "SCHEMA_INVALID",
          `${what} and ${other} would both be called \`${sqlName}\` in SQLite: rename one of them`,
        );
      }
      taken.set(sqlName.toLowerCase(), what);
    };
    for (const table of this.tables.values()) take(table.name, `table \`${table.name}\``);
    for (const table of this.tables.values()) {
      for (const index of table.indexes.values()) take(index.sqlName, `index \`${index.name}\` of \`${table.name}\``);
      if (table.expiryIndex !== undefined) take(table.expiryIndex.sqlName, `\`.ttl\` of \`${table.name}\``);
    }
  }

  table(name: string): Table {
    const table = this.tables.get(name);
    if (table === undefined)
      throw new LunoraError("UNKNOWN_TABLE", `there is no table \`${name}\` in the schema`, { data: { table: name } });
    return table;
  }

  /** Foreign keys that say what happens when a row of the table is deleted. */
  incoming(table: Table): readonly IncomingRelation[] {
    return this.#incoming.get(table.name) ?? [];
  }
}
