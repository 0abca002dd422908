//! `server.ts`: builders and contexts that know the schema.

use crate::GenerateOptions;
use crate::generated_file::HEADER;

pub(crate) fn server(options: &GenerateOptions) -> String {
    let prefix = options.package_prefix.as_str();
    format!(
        r#"{HEADER}import {{ initLunora }} from "{prefix}/server";
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
  shape,
  mutator,
  definePolicy,
  defineMigration,
}} = initLunora.dataModel<DataModel>().create();
"#
    )
}
