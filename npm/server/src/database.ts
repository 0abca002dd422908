import type { Id } from "@lunora/values";

import type {
  DataModelOf,
  DocumentOf,
  IdOf,
  IndexFields,
  IndexNames,
  InsertOf,
  PatchOf,
  TableNames,
} from "./data-model.ts";
import type { TableReader, TableWriter } from "./table-access.ts";

/** Direction of a walk over an index. */
export type Order = "asc" | "desc";

/** A finished range over an index. */
export interface IndexRange {
  /** Never present at run time: keeps a range apart from any other object. */
  readonly "~range"?: true;
}

/** The upper end of a range whose lower end is set. */
export interface UpperBound<Document, Field extends string> extends IndexRange {
  lt(field: Field, value: FieldValue<Document, Field>): IndexRange;
  lte(field: Field, value: FieldValue<Document, Field>): IndexRange;
}

/** The lower end of a range whose upper end is set. */
export interface LowerBound<Document, Field extends string> extends IndexRange {
  gt(field: Field, value: FieldValue<Document, Field>): IndexRange;
  gte(field: Field, value: FieldValue<Document, Field>): IndexRange;
}

/** The value of a field; `undefined` where it may be absent. */
export type FieldValue<Document, Field extends string> = Field extends keyof Document ? Document[Field] : unknown;

/**
 * Ranges over an index: any number of `eq` on its leading fields in order, then at most one lower
 * and one upper bound on the next field.
 */
export type IndexRangeBuilder<Document, Fields extends readonly string[]> = Fields extends readonly [
  infer Field extends string,
  ...infer Rest extends readonly string[],
]
  ? IndexRange & {
      eq(field: Field, value: FieldValue<Document, Field>): IndexRangeBuilder<Document, Rest>;
      gt(field: Field, value: FieldValue<Document, Field>): UpperBound<Document, Field>;
      gte(field: Field, value: FieldValue<Document, Field>): UpperBound<Document, Field>;
      lt(field: Field, value: FieldValue<Document, Field>): LowerBound<Document, Field>;
      lte(field: Field, value: FieldValue<Document, Field>): LowerBound<Document, Field>;
    }
  : IndexRange;

/** One page asked for. */
export interface PaginationOptions {
  /** Rows in the page, at least 1. */
  readonly numItems: number;
  /** `null` or left out for the first page, then `continueCursor` of the page before. */
  readonly cursor?: string | null;
  /** Ends the page at this cursor (exclusive of what follows it) whatever its size. */
  readonly endCursor?: string | null;
}

/** One page. */
export interface PaginationResult<Row> {
  readonly page: Row[];
  /** No row follows. */
  readonly isDone: boolean;
  /** Where the next page starts. Opaque. */
  readonly continueCursor: string;
}

/** A query whose rows can be asked for. Each terminal runs it; a query runs once. */
export interface OrderedQuery<Document> extends AsyncIterable<Document> {
  /** Keeps the rows for which the predicate is true. Runs in the shard, after the index. */
  filter(predicate: (document: Document) => boolean): OrderedQuery<Document>;
  /** Every row. */
  collect(): Promise<Document[]>;
  /** The first row, or `null`. */
  first(): Promise<Document | null>;
  /** At most `count` rows. */
  take(count: number): Promise<Document[]>;
  /** The only row, or `null`; two rows are `NOT_UNIQUE`. */
  unique(): Promise<Document | null>;
  /** A page by keyset: cost does not grow with the page's position. */
  paginate(options: PaginationOptions): Promise<PaginationResult<Document>>;
}

/** A query whose direction is not chosen yet; ascending unless stated. */
export interface UnorderedQuery<Document> extends OrderedQuery<Document> {
  order(direction: Order): OrderedQuery<Document>;
  filter(predicate: (document: Document) => boolean): UnorderedQuery<Document>;
}

/** A query over a whole table, in order of creation unless an index is named. */
export interface TableQuery<Model extends DataModelOf<Model>, Table extends TableNames<Model>> extends UnorderedQuery<
  DocumentOf<Model, Table>
> {
  withIndex<Name extends IndexNames<Model, Table>>(
    name: Name,
    range?: (builder: IndexRangeBuilder<DocumentOf<Model, Table>, IndexFields<Model, Table, Name>>) => IndexRange,
  ): UnorderedQuery<DocumentOf<Model, Table>>;
}

/** Methods of `ctx.db` in a query. */
export interface ReaderMethods<Model extends DataModelOf<Model>> {
  /** The row, or `null`. */
  get<Table extends TableNames<Model>>(id: Id<Table>): Promise<DocumentOf<Model, Table> | null>;
  get<Table extends TableNames<Model>>(
    table: Table,
    id: IdOf<NoInfer<Table>>,
  ): Promise<DocumentOf<Model, Table> | null>;
  query<Table extends TableNames<Model>>(table: Table): TableQuery<Model, Table>;
  /** The string as an id of the table when it has the form of one, else `null`. */
  normalizeId<Table extends TableNames<Model>>(table: Table, id: string): IdOf<Table> | null;
  /** Like `normalizeId`, but refuses with `BAD_REQUEST`. */
  asId<Table extends TableNames<Model>>(table: Table, id: string): IdOf<Table>;
}

/** What a mutation's `ctx.db` can do besides. */
export interface WriterMethods<Model extends DataModelOf<Model>> extends ReaderMethods<Model> {
  insert<Table extends TableNames<Model>>(table: Table, document: InsertOf<Model, Table>): Promise<IdOf<Table>>;
  /** Changes the named columns; `null` clears an optional one. `NOT_FOUND` when there is no such row. */
  patch<Table extends TableNames<Model>>(id: Id<Table>, patch: PatchOf<Model, Table>): Promise<void>;
  patch<Table extends TableNames<Model>>(
    table: Table,
    id: IdOf<NoInfer<Table>>,
    patch: PatchOf<Model, Table>,
  ): Promise<void>;
  /** Replaces every column. `NOT_FOUND` when there is no such row. */
  replace<Table extends TableNames<Model>>(id: Id<Table>, document: InsertOf<Model, Table>): Promise<void>;
  replace<Table extends TableNames<Model>>(
    table: Table,
    id: IdOf<NoInfer<Table>>,
    document: InsertOf<Model, Table>,
  ): Promise<void>;
  /** Removes the row, or marks it where the table is soft-deleted. `NOT_FOUND` when there is no such row. */
  delete<Table extends TableNames<Model>>(id: Id<Table>): Promise<void>;
  delete<Table extends TableNames<Model>>(table: Table, id: IdOf<NoInfer<Table>>): Promise<void>;
}

/** `ctx.db` in a query: methods, and an accessor for each table. A table named like a method has no accessor. */
export type DatabaseReader<Model extends DataModelOf<Model>> = ReaderMethods<Model> & {
  readonly [Table in Exclude<TableNames<Model>, keyof WriterMethods<never>>]: TableReader<Model, Table>;
};

/** `ctx.db` in a mutation. */
export type DatabaseWriter<Model extends DataModelOf<Model>> = WriterMethods<Model> & {
  readonly [Table in Exclude<TableNames<Model>, keyof WriterMethods<never>>]: TableWriter<Model, Table>;
};
