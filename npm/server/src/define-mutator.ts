import type { InferFields, ValidatorMap } from "@lunora/values";

import type { MutationCtx } from "./context.ts";
import type { DataModelOf, DocumentOf, IdOf, InsertOf, PatchOf, TableNames } from "./data-model.ts";
import type { HandlerOptions, RegisteredFunction, StoredMiddleware } from "./definition.ts";
import type { Middleware } from "./middleware.ts";
import { schemaError } from "./schema-error.ts";
import type { Untyped } from "./untyped.ts";

/**
 * `ctx.db` of `apply`: what a client's rows and the shard's can both do. On a client it is the rows
 * of its shapes, and a write to a row that none of them has is without effect.
 */
export interface MutatorDatabase<Model extends DataModelOf<Model>> {
  /** The row; `null` when there is none, or on a client when no shape of it has the row. */
  get<Table extends TableNames<Model>>(
    table: Table,
    id: IdOf<NoInfer<Table>>,
  ): Promise<DocumentOf<Model, Table> | null>;
  /** Resolves to the id, which is the same on both sides. */
  insert<Table extends TableNames<Model>>(table: Table, document: InsertOf<Model, Table>): Promise<IdOf<Table>>;
  patch<Table extends TableNames<Model>>(
    table: Table,
    id: IdOf<NoInfer<Table>>,
    patch: PatchOf<Model, Table>,
  ): Promise<void>;
  replace<Table extends TableNames<Model>>(
    table: Table,
    id: IdOf<NoInfer<Table>>,
    document: InsertOf<Model, Table>,
  ): Promise<void>;
  delete<Table extends TableNames<Model>>(table: Table, id: IdOf<NoInfer<Table>>): Promise<void>;
}

/** `ctx` of `apply`. */
export interface MutatorCtx<Model extends DataModelOf<Model>> {
  readonly db: MutatorDatabase<Model>;
  /** Epoch milliseconds: of the client's clock there, of the call in the shard. */
  readonly now: number;
}

/** What a mutator is declared with. */
export interface MutatorOptions<Model extends DataModelOf<Model>, Input extends ValidatorMap, Applied, Served> {
  /** Validated in the shard before anything else runs. */
  readonly args?: Input;
  /**
   * The effect that the client shows before the shard has answered. Runs again whenever rows come
   * from the shard, so it does nothing but read its arguments and use `ctx`, and awaits nothing else.
   */
  readonly apply: (ctx: MutatorCtx<Model>, args: InferFields<Input>) => Applied;
  /** What really happens: one transaction. `apply` when left out. */
  readonly server?: (ctx: MutationCtx<Model>, args: InferFields<Input>) => Served;
  /** Middleware and row-level policies around `server`. */
  readonly use?: readonly Middleware<MutationCtx<Model>, Untyped, InferFields<Input>>[];
}

/** A mutation that clients show in advance. */
export interface RegisteredMutator<
  Input extends ValidatorMap = ValidatorMap,
  Result = Untyped,
> extends RegisteredFunction<"mutation", Input, Result, "public"> {
  readonly apply: (ctx: Untyped, args: Untyped) => unknown;
}

/** `mutator({…})` */
export type MutatorFactory<Model extends DataModelOf<Model>> = <
  const Input extends ValidatorMap = {},
  Applied = unknown,
  Served = Applied,
>(
  options: MutatorOptions<Model, Input, Applied, Served>,
) => RegisteredMutator<Input, Awaited<Served>>;

/**
 * Declares a mutator without a data model; `mutator` of the generated `server.ts` is the typed form.
 * Throws `SCHEMA_INVALID` when what was given can be no mutator.
 */
export const defineMutator: MutatorFactory<Untyped> = ({ args, apply, server, use }) => {
  if (typeof apply !== "function") {
    throw schemaError(
      "a mutator has no `apply`",
      "Say what the client shows in advance, or write a `mutation` when it shows nothing.",
    );
  }
  const run: (ctx: Untyped, args: Untyped) => unknown = server ?? apply;
  return {
    kind: "mutation",
    visibility: "public",
    input: args ?? {},
    middleware: [...(use ?? [])] as unknown as StoredMiddleware[],
    meta: {},
    handler: ({ ctx, args: parsed }: HandlerOptions) => run(ctx, parsed),
    apply,
  } as never;
};

/** Whether an export is a mutator. */
export function isRegisteredMutator(value: unknown): value is RegisteredMutator {
  if (typeof value !== "object" || value === null) return false;
  const { kind, apply } = value as Partial<RegisteredMutator>;
  return kind === "mutation" && typeof apply === "function";
}
