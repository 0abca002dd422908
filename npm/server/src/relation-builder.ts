import type { OnDelete, RelationDefinition } from "./definition.ts";

/** Options of `r.one`. */
export interface OneOptions<Column extends string> {
  /** The column of this table that holds the foreign key. */
  readonly field: Column;
  /** The field of the other table that is pointed at; `_id` unless stated. */
  readonly references?: string;
  /** What happens to this row when the one it points at is deleted; nothing unless stated. */
  readonly onDelete?: OnDelete;
}

/** Options of `r.many`. */
export interface ManyOptions<Column extends string> {
  /** The column of the other table that holds the foreign key. */
  readonly field: string;
  /** The field of this table that is pointed at; `_id` unless stated. */
  readonly references?: Column | "_id";
}

/** What `.relations` hands to its callback. */
export interface RelationBuilder<Column extends string> {
  /** This table points at one row of the other. */
  one(table: string, options: OneOptions<Column>): RelationDefinition;
  /** Rows of the other table point at this one. */
  many(table: string, options: ManyOptions<Column>): RelationDefinition;
}

export const relationBuilder: RelationBuilder<string> = {
  one: (table, { field, references = "_id", onDelete }) =>
    onDelete === undefined
      ? { kind: "one", table, field, references }
      : { kind: "one", table, field, references, onDelete },
  many: (table, { field, references = "_id" }) => ({ kind: "many", table, field, references }),
};
