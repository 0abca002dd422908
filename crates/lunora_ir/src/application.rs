//! The whole application.

use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::{Function, Shape, Table};

/// Everything that codegen, linting and the local platform need to know about an app.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Application {
    /// `.jurisdiction("eu")`
    pub jurisdiction: Option<String>,
    /// `.rls("required")`
    pub rls_required: bool,
    /// Tables by name, in source order; shared like functions.
    pub tables: IndexMap<String, Arc<Table>>,
    /// Functions sorted by path. Shared: an edit of one file leaves the functions of all the others
    /// the very same allocations, so that a consumer can tell by pointer what changed.
    pub functions: Vec<Arc<Function>>,
    /// Shapes sorted by name; shared like functions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shapes: Vec<Arc<Shape>>,
    /// `lunora/app.ts` exists and exports the app's options by default.
    pub has_app_module: bool,
    /// How the schema is exported: `schema` or `default`.
    pub schema_export: String,
    /// The schema's file, project-relative with `/`.
    pub schema_file: String,
}
