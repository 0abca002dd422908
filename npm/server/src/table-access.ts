import type { DataModelOf, DocumentOf, IdOf, InsertOf, PatchOf, TableNames } from "./data-model.ts";
import type { Order, PaginationResult } from "./database.ts";

type Scalar = string | number | bigint | boolean | null | undefined;

/** Operators on one column; several are joined by AND. */
export interface FieldOperators<Value> {
  readonly eq?: Value | null;
  readonly ne?: Value | null;
  readonly in?: readonly (Value | null)[];
  readonly notIn?: readonly (Value | null)[];
  readonly lt?: NonNullable<Value>;
  readonly lte?: NonNullable<Value>;
  readonly gt?: NonNullable<Value>;
  readonly gte?: NonNullable<Value>;
  /** `true`: the column is `null` or absent. */
  readonly isNull?: boolean;
  /** Substring of a string column, element of an array column. */
  readonly contains?: NonNullable<Value> extends readonly (infer Item)[]
    ? Item
    : NonNullable<Value> extends string
      ? string
      : never;
}

/** A bare scalar means `eq`; object-valued columns need an operator. */
export type FieldCondition<Value> =
  | FieldOperators<Exclude<Value, undefined>>
  | Extract<Exclude<Value, undefined>, Scalar>;

/** A condition over the columns of a row. Every part must hold. */
export type Where<Document> = {
  readonly [Field in keyof Document]?: FieldCondition<Document[Field]>;
} & {
  readonly AND?: readonly Where<Document>[];
  readonly OR?: readonly Where<Document>[];
  readonly NOT?: Where<Document>;
};

/** Sorts by the named columns; an array where there are several, the first weighs most. */
export type OrderBy<Document> =
  | { readonly [Field in keyof Document]?: Order }
  | readonly { readonly [Field in keyof Document]?: Order }[];

/** Columns to return; `_id` always comes along. */
export type Select<Document> = { readonly [Field in keyof Document]?: true };

type RelationsOf<Model extends DataModelOf<Model>, Table extends keyof Model> = Model[Table]["relations"];

type RelatedTable<
  Model extends DataModelOf<Model>,
  Table extends keyof Model,
  Name extends keyof RelationsOf<Model, Table>,
> = RelationsOf<Model, Table>[Name] extends { readonly table: infer Related extends TableNames<Model> }
  ? Related
  : never;

/** Relations to load, each as a whole or with its own options. */
export type With<Model extends DataModelOf<Model>, Table extends TableNames<Model>> = {
  readonly [Name in keyof RelationsOf<Model, Table>]?: true | RelationOptions<Model, RelatedTable<Model, Table, Name>>;
};

/** How the rows of a relation are loaded. `limit` is for each parent row. */
export interface RelationOptions<Model extends DataModelOf<Model>, Table extends TableNames<Model>> {
  readonly where?: Where<DocumentOf<Model, Table>>;
  readonly orderBy?: OrderBy<DocumentOf<Model, Table>>;
  readonly select?: Select<DocumentOf<Model, Table>>;
  readonly with?: With<Model, Table>;
  readonly limit?: number;
  readonly includeDeleted?: boolean;
}

/** Options of `findFirst`. */
export interface FindFirstOptions<Model extends DataModelOf<Model>, Table extends TableNames<Model>> {
  readonly where?: Where<DocumentOf<Model, Table>>;
  /** By creation unless stated; ties are broken by `_creationTime` and `_id` in the last direction. */
  readonly orderBy?: OrderBy<DocumentOf<Model, Table>>;
  readonly select?: Select<DocumentOf<Model, Table>>;
  readonly with?: With<Model, Table>;
  /** Rows marked as deleted too. */
  readonly includeDeleted?: boolean;
}

/** Options of `findMany`. */
export interface FindManyOptions<
  Model extends DataModelOf<Model>,
  Table extends TableNames<Model>,
> extends FindFirstOptions<Model, Table> {
  readonly limit?: number;
  /** When given (`null` for the first page) the result is a page instead of an array; `limit` is its size. */
  readonly cursor?: string | null;
}

type Selected<Document, Options> = Options extends { readonly select: infer Chosen }
  ? Pick<Document, Extract<keyof Document, keyof Chosen | "_id">>
  : Document;

type Loaded<Model extends DataModelOf<Model>, Table extends TableNames<Model>, Options> = Options extends {
  readonly with: infer Wanted;
}
  ? {
      [Name in keyof Wanted & keyof RelationsOf<Model, Table>]: RelationsOf<Model, Table>[Name] extends {
        readonly kind: "many";
      }
        ? Row<Model, RelatedTable<Model, Table, Name>, Wanted[Name]>[]
        : Row<Model, RelatedTable<Model, Table, Name>, Wanted[Name]> | null;
    }
  : unknown;

/** A row as the options shape it. */
export type Row<Model extends DataModelOf<Model>, Table extends TableNames<Model>, Options> = Selected<
  DocumentOf<Model, Table>,
  Options
> &
  Loaded<Model, Table, Options>;

/** What `findMany` resolves to. */
export type FindManyResult<
  Model extends DataModelOf<Model>,
  Table extends TableNames<Model>,
  Options,
> = Options extends {
  readonly cursor: string | null;
}
  ? PaginationResult<Row<Model, Table, Options>>
  : Row<Model, Table, Options>[];

/** Options of `count` and `exists`. */
export interface CountOptions<Document> {
  readonly where?: Where<Document>;
  readonly includeDeleted?: boolean;
}

/** `ctx.db.<table>` in a query. */
export interface TableReader<Model extends DataModelOf<Model>, Table extends TableNames<Model>> {
  get(id: IdOf<Table>): Promise<DocumentOf<Model, Table> | null>;
  findMany<const Options extends FindManyOptions<Model, Table> = {}>(
    options?: Options,
  ): Promise<FindManyResult<Model, Table, Options>>;
  findFirst<const Options extends FindFirstOptions<Model, Table> = {}>(
    options?: Options,
  ): Promise<Row<Model, Table, Options> | null>;
  exists(options?: CountOptions<DocumentOf<Model, Table>>): Promise<boolean>;
  count(options?: CountOptions<DocumentOf<Model, Table>>): Promise<number>;
}

/** What `upsert` did. */
export interface UpsertResult<Table> {
  readonly id: IdOf<Table>;
  readonly created: boolean;
}

/** Options of `upsert`. */
export interface UpsertOptions<Model extends DataModelOf<Model>, Table extends TableNames<Model>> {
  /** The column or columns whose values in `create` name the row; best the fields of a unique index. */
  readonly target: keyof InsertOf<Model, Table> | readonly (keyof InsertOf<Model, Table>)[];
  readonly create: InsertOf<Model, Table>;
  readonly update: PatchOf<Model, Table>;
}

/** Options of an insert. */
export interface InsertOptions {
  /** A row that would break a unique index is left out instead of refused; its id is `null`. */
  readonly skipDuplicates?: boolean;
}

type InsertedId<Table, Options> = Options extends { readonly skipDuplicates: true } ? IdOf<Table> | null : IdOf<Table>;

/** Only tables declared with `.softDelete()` have these. */
export interface SoftDeleteMethods<Table> {
  /** Takes the mark away. `NOT_FOUND` when there is no such row. */
  restore(id: IdOf<Table>): Promise<void>;
  /** Removes the row for good, marked or not. */
  hardDelete(id: IdOf<Table>): Promise<void>;
}

/** `ctx.db.<table>` in a mutation. */
export interface TableWriterMethods<
  Model extends DataModelOf<Model>,
  Table extends TableNames<Model>,
> extends TableReader<Model, Table> {
  insert<const Options extends InsertOptions = {}>(
    document: InsertOf<Model, Table>,
    options?: Options,
  ): Promise<InsertedId<Table, Options>>;
  insertMany<const Options extends InsertOptions = {}>(
    documents: readonly InsertOf<Model, Table>[],
    options?: Options,
  ): Promise<InsertedId<Table, Options>[]>;
  upsert(options: UpsertOptions<Model, Table>): Promise<UpsertResult<Table>>;
  patch(id: IdOf<Table>, patch: PatchOf<Model, Table>): Promise<void>;
  patchMany(changes: readonly { readonly id: IdOf<Table>; readonly patch: PatchOf<Model, Table> }[]): Promise<void>;
  /** Resolves to the number of rows changed. */
  patchWhere(options: {
    readonly where: Where<DocumentOf<Model, Table>>;
    readonly patch: PatchOf<Model, Table>;
  }): Promise<number>;
  replace(id: IdOf<Table>, document: InsertOf<Model, Table>): Promise<void>;
  delete(id: IdOf<Table>): Promise<void>;
  deleteMany(ids: readonly IdOf<Table>[]): Promise<void>;
  /** Resolves to the number of rows removed or marked. */
  deleteWhere(options: { readonly where: Where<DocumentOf<Model, Table>> }): Promise<number>;
}

/** `ctx.db.<table>` in a mutation, with what a soft-deleted table has besides. */
export type TableWriter<Model extends DataModelOf<Model>, Table extends TableNames<Model>> = TableWriterMethods<
  Model,
  Table
> &
  (Model[Table]["softDelete"] extends false ? unknown : SoftDeleteMethods<Table>);
