import type { ActionCtx, MutationCtx, QueryCtx } from "./context.ts";
import type { DataModelOf } from "./data-model.ts";
import { definePolicy } from "./define-policy.ts";
import type { PolicyDefiner } from "./define-policy.ts";
import { defineMigration } from "./define-migration.ts";
import type { MigrationFactory } from "./define-migration.ts";
import { defineMutator } from "./define-mutator.ts";
import type { MutatorFactory } from "./define-mutator.ts";
import { defineShape } from "./define-shape.ts";
import type { ShapeFactory } from "./define-shape.ts";
import { procedureBuilder } from "./procedure-builder.ts";
import type { ProcedureBuilder } from "./procedure-builder.ts";

/** The builders of an app, bound to its data model. */
export interface LunoraBuilders<Model extends DataModelOf<Model>> {
  /** Reads. */
  readonly query: ProcedureBuilder<"query", "public", QueryCtx<Model>, {}, undefined>;
  /** Reads and writes, in one transaction. */
  readonly mutation: ProcedureBuilder<"mutation", "public", MutationCtx<Model>, {}, undefined>;
  /** Runs in the Worker and may call the outside. */
  readonly action: ProcedureBuilder<"action", "public", ActionCtx<Model>, {}, undefined>;
  /** A query that only other functions reach. */
  readonly internalQuery: ProcedureBuilder<"query", "internal", QueryCtx<Model>, {}, undefined>;
  /** A mutation that only other functions reach. */
  readonly internalMutation: ProcedureBuilder<"mutation", "internal", MutationCtx<Model>, {}, undefined>;
  /** An action that only other functions reach. */
  readonly internalAction: ProcedureBuilder<"action", "internal", ActionCtx<Model>, {}, undefined>;
  /** A part of a table that clients keep a live copy of; exported from `lunora/shapes.ts`. */
  readonly shape: ShapeFactory<Model>;
  /** A mutation that clients show in advance; exported from `lunora/mutators.ts`. */
  readonly mutator: MutatorFactory<Model>;
  /** Which rows of a table may be read or written; handed to `rls`. */
  readonly definePolicy: PolicyDefiner<Model>;
  /** A transform of every row of a table, run by `lunora migrate`. */
  readonly defineMigration: MigrationFactory<Model>;
}

/** `initLunora.dataModel<DataModel>().create()`: the form generated code uses. */
export interface LunoraInitializer {
  dataModel<Model extends DataModelOf<Model>>(): { create(): LunoraBuilders<Model> };
}

export const initLunora: LunoraInitializer = {
  dataModel: <Model extends DataModelOf<Model>>() => ({
    create: (): LunoraBuilders<Model> => ({
      query: procedureBuilder("query", "public"),
      mutation: procedureBuilder("mutation", "public"),
      action: procedureBuilder("action", "public"),
      internalQuery: procedureBuilder("query", "internal"),
      internalMutation: procedureBuilder("mutation", "internal"),
      internalAction: procedureBuilder("action", "internal"),
      shape: defineShape as unknown as ShapeFactory<Model>,
      mutator: defineMutator as unknown as MutatorFactory<Model>,
      definePolicy: definePolicy as unknown as PolicyDefiner<Model>,
      defineMigration: defineMigration as unknown as MigrationFactory<Model>,
    }),
  }),
};
