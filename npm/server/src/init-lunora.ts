import type { ActionCtx, MutationCtx, QueryCtx } from "./context.ts";
import type { DataModelOf } from "./data-model.ts";
import { procedureBuilder } from "./procedure-builder.ts";
import type { ProcedureBuilder } from "./procedure-builder.ts";

/** The builders of an app's functions, bound to its data model. */
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
    }),
  }),
};
