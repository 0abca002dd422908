//! The whole application.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::{Function, Table};

/// Everything that codegen, linting and the local platform need to know about an app.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Application {
    /// `.jurisdiction("eu")`
    pub jurisdiction: Option<String>,
    /// `.rls("required")`
    pub rls_required: bool,
    /// Tables by name, in source order.
    pub tables: IndexMap<String, Table>,
    /// Functions sorted by path.
    pub functions: Vec<Function>,
    /// `lunora/app.ts` exists and exports the app's options by default.
    pub has_app_module: bool,
    /// How the schema is exported: `schema` or `default`.
    pub schema_export: String,
    /// The schema's file, project-relative with `/`.
    pub schema_file: String,
}
