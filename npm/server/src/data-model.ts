import type { Id } from "@lunora/values";

/** What generated code says about one table. */
export interface TableModel {
  readonly document: { readonly _id: string; readonly _creationTime: number };
  readonly insert: object;
  readonly indexes: { readonly [name: string]: readonly string[] };
  readonly relations: { readonly [name: string]: { readonly kind: "one" | "many"; readonly table: string } };
  readonly softDelete: boolean;
  readonly shardMode: string;
}

/**
 * Constraint of every `Model` parameter. A mapped type over its own keys, because the generated
 * `interface DataModel` has no index signature.
 */
export type DataModelOf<Model> = { readonly [Table in keyof Model]: TableModel };

/** Names of the tables. */
export type TableNames<Model> = keyof Model & string;

/** A stored row. */
export type DocumentOf<Model extends DataModelOf<Model>, Table extends keyof Model> = Model[Table]["document"];

/** What `insert` takes. */
export type InsertOf<Model extends DataModelOf<Model>, Table extends keyof Model> = Model[Table]["insert"];

/** The id of a row. */
export type IdOf<Table> = Id<Table & string>;

/** Keys that may be absent. */
type OptionalKeys<Shape> = { [Key in keyof Shape]-?: {} extends Pick<Shape, Key> ? Key : never }[keyof Shape];

/** `_id` and `_creationTime` are the store's own. */
type Writable<Document> = Omit<Document, "_id" | "_creationTime">;

/**
 * What `patch` takes: any of the columns. `null` clears a column that may be absent; `undefined`
 * is refused, a column that is not named stays as it is.
 */
export type PatchOf<Model extends DataModelOf<Model>, Table extends keyof Model> = {
  [Column in keyof Writable<DocumentOf<Model, Table>>]?: Column extends OptionalKeys<DocumentOf<Model, Table>>
    ? Exclude<DocumentOf<Model, Table>[Column], undefined> | null
    : DocumentOf<Model, Table>[Column];
};

/** Names of the declared indexes and of the implicit `by_creation`. */
export type IndexNames<Model extends DataModelOf<Model>, Table extends keyof Model> =
  | (keyof Model[Table]["indexes"] & string)
  | "by_creation";

/** Fields of an index, in order; every index goes on with `_creationTime`. */
export type IndexFields<
  Model extends DataModelOf<Model>,
  Table extends keyof Model,
  Name extends string,
> = Name extends keyof Model[Table]["indexes"]
  ? Model[Table]["indexes"][Name] extends readonly [...infer Fields extends string[]]
    ? [...Fields, "_creationTime"]
    : never
  : ["_creationTime"];
