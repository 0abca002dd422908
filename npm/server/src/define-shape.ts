import type { ShapeReference, ShapeRefresh } from "@lunora/protocol";
import type { InferFields, InferFieldsInput, ValidatorMap } from "@lunora/values";

import type { Auth, Logger } from "./context.ts";
import type { DataModelOf, DocumentOf, TableNames } from "./data-model.ts";
import type { DatabaseReader } from "./database.ts";
import type { Middleware } from "./middleware.ts";
import { schemaError } from "./schema-error.ts";
import type { Where } from "./table-access.ts";
import type { Untyped } from "./untyped.ts";

/**
 * `ctx` of a shape's `where`. What it reads of `ctx.db` is remembered: when such rows change, the
 * condition is made again. There is no `now`, because nothing would make it again when time passes.
 */
export interface ShapeCtx<Model extends DataModelOf<Model>> {
  readonly auth: Auth;
  readonly db: DatabaseReader<Model>;
  readonly log: Logger;
}

/** A shape as its registration holds it. */
export interface RegisteredShape<
  Table extends string = string,
  Input extends ValidatorMap = ValidatorMap,
  Row = Untyped,
> {
  readonly kind: "shape";
  readonly table: Table;
  readonly input: Input;
  readonly where?: (ctx: Untyped, args: Untyped) => unknown;
  /** Without `_id` and `_creationTime`; left out: all columns. */
  readonly columns?: readonly string[];
  /** Left out: not stated. */
  readonly use?: readonly Middleware<Untyped>[];
  /** Never present at run time. */
  readonly "~row"?: Row;
}

type ColumnsOf<Document> = Exclude<keyof Document & string, "_id" | "_creationTime">;

/** A row with the chosen columns; `_id` and `_creationTime` always. */
export type ShapeRow<Document, Column extends string> = [Column] extends [never]
  ? Document
  : Pick<Document, Extract<keyof Document, Column | "_id" | "_creationTime">>;

/** What a shape is declared with. */
export interface ShapeOptions<
  Model extends DataModelOf<Model>,
  Table extends TableNames<Model>,
  Input extends ValidatorMap,
  Column extends string,
> {
  /**
   * The table whose rows are shared. All of a shape is in one shard. Rows of a `.global()` table are in
   * D1, which tells nobody when they change: such a shape is refreshed by polling, every few seconds
   * while somebody subscribes (`refresh: "poll"` of its reference), and by nothing in between.
   */
  readonly table: Table;
  /** What a subscriber says; validated. */
  readonly args?: Input;
  /**
   * Which rows; all of them when left out. Runs with the identity of the subscriber. May read
   * `ctx.db` of the same shard; must not depend on the time or on chance, and reads no
   * `.global()` table (`SHAPE_READS_GLOBAL`).
   */
  readonly where?: (
    ctx: ShapeCtx<Model>,
    args: InferFields<Input>,
  ) => Where<DocumentOf<Model, Table>> | Promise<Where<DocumentOf<Model, Table>>>;
  /** The columns that subscribers get, besides `_id` and `_creationTime`; all when left out. */
  readonly columns?: readonly Column[];
  /**
   * Row-level policies: `[rls(policies)]`. Only their conditions for reading count. Needed where
   * the schema requires policies.
   */
  readonly use?: readonly Middleware<Untyped>[];
}

/** `shape({…})`: a named, parameterized part of a table, which clients keep a live copy of. */
export type ShapeFactory<Model extends DataModelOf<Model>> = <
  const Table extends TableNames<Model>,
  const Input extends ValidatorMap = {},
  const Column extends ColumnsOf<DocumentOf<Model, Table>> = never,
>(
  options: ShapeOptions<Model, Table, Input, Column>,
) => RegisteredShape<Table, Input, ShapeRow<DocumentOf<Model, Table>, Column>>;

/** The reference that a subscriber sees: arguments and row as the shape has them, `Refresh` as its table does. */
export type ShapeReferenceOf<Registered, Refresh extends ShapeRefresh = "poke"> =
  Registered extends RegisteredShape<string, infer Input, infer Row>
    ? ShapeReference<InferFieldsInput<Input>, Row, Refresh>
    : never;

/**
 * Declares a shape without a data model; `shape` of the generated `server.ts` is the typed form.
 * Throws `SCHEMA_INVALID` when what was given can be no shape.
 */
export const defineShape: ShapeFactory<Untyped> = ({ table, args, where, columns, use }) => {
  if (typeof table !== "string") {
    throw schemaError("a shape has no table", 'Name the table whose rows it shares: `shape({ table: "…" })`.');
  }
  if (where !== undefined && typeof where !== "function") {
    throw schemaError(
      `\`where\` of a shape of \`${table}\` is no function`,
      "Write a function from `ctx` and the arguments to a condition.",
    );
  }
  if (columns !== undefined && (!Array.isArray(columns) || columns.length === 0)) {
    throw schemaError(
      `\`columns\` of a shape of \`${table}\` names none`,
      "Name the columns to share, or leave `columns` out to share all of them.",
    );
  }
  return {
    kind: "shape",
    table,
    input: args ?? {},
    ...(where === undefined ? {} : { where }),
    ...(columns === undefined ? {} : { columns: [...new Set<string>(columns)] }),
    ...(use === undefined ? {} : { use }),
  } as never;
};

/** Whether an export is a shape. */
export function isRegisteredShape(value: unknown): value is RegisteredShape {
  return typeof value === "object" && value !== null && (value as Partial<RegisteredShape>).kind === "shape";
}
