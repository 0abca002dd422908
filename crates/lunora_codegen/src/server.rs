//! `server.ts`: builders and contexts that know the schema.

use crate::GenerateOptions;
use crate::generated_file::HEADER;

pub(crate) fn server(options: &GenerateOptions) -> String {
    let prefix = options.package_prefix.as_str();
    format!(
        r#"{HEADER}import {{ initLunora, migrationsOf, mutatorsOf, policiesOf, shapesOf }} from "{prefix}/server";
import type {{ ActionCtx as GenericActionCtx, MutationCtx as GenericMutationCtx, MutatorCtx as GenericMutatorCtx, QueryCtx as GenericQueryCtx, ShapeCtx as GenericShapeCtx }} from "{prefix}/server";
import type {{ DataModel }} from "./dataModel.js";

export {{ v }} from "{prefix}/server";

/** `ctx` of a query. */
export type QueryCtx = GenericQueryCtx<DataModel>;

/** `ctx` of a mutation. */
export type MutationCtx = GenericMutationCtx<DataModel>;

/** `ctx` of an action. */
export type ActionCtx = GenericActionCtx<DataModel>;

/** `ctx` of a mutator's `apply`. */
export type MutatorCtx = GenericMutatorCtx<DataModel>;

/** `ctx` of a shape's `where`. */
export type ShapeCtx = GenericShapeCtx<DataModel>;

export const {{
  query,
  mutation,
  action,
  internalQuery,
  internalMutation,
  internalAction,
}} = initLunora.dataModel<DataModel>().create();

/** A part of a table that clients keep a live copy of; exported from `lunora/shapes.ts`. */
export const shape = /* @__PURE__ */ shapesOf<DataModel>();

/** A mutation that clients show in advance; exported from `lunora/mutators.ts`. */
export const mutator = /* @__PURE__ */ mutatorsOf<DataModel>();

/** Which rows of a table may be read or written; handed to `rls`. */
export const definePolicy = /* @__PURE__ */ policiesOf<DataModel>();

/** A transform of every row of a table, run by `lunora migrate`. */
export const defineMigration = /* @__PURE__ */ migrationsOf<DataModel>();
"#
    )
}
