//! The whole application.

use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::{Address, Cron, Function, FunctionKind, Migration, Presence, Shape, ShardMode, Table};

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
    /// Data migrations sorted by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub migrations: Vec<Migration>,
    /// The lines of `lunora/crons.ts`, in source order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crons: Vec<Cron>,
    /// Some function reaches `ctx.scheduler`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub schedules: bool,
    /// Kinds of rooms sorted by path; shared like functions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub presence: Vec<Arc<Presence>>,
    /// `lunora/app.ts` exists and exports the app's options by default.
    pub has_app_module: bool,
    /// Its options have `email`, or may have it as far as the sources say.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub takes_mail: bool,
    /// How the schema is exported: `schema` or `default`.
    pub schema_export: String,
    /// The schema's file, project-relative with `/`.
    pub schema_file: String,
}

impl Application {
    /// The worker needs what runs streams.
    #[must_use]
    pub fn has_streams(&self) -> bool {
        self.functions
            .iter()
            .any(|function| function.kind == FunctionKind::Stream)
    }

    /// The worker needs what keeps `.global()` tables, and a D1 database.
    #[must_use]
    pub fn has_global_tables(&self) -> bool {
        self.tables.values().any(|table| table.shard_mode == ShardMode::Global)
    }

    /// The worker needs what asks all shards.
    #[must_use]
    pub fn has_fan_out(&self) -> bool {
        self.functions
            .iter()
            .any(|function| matches!(function.address, Address::FanOut { .. }))
    }

    /// The worker needs the scheduler.
    #[must_use]
    pub fn uses_scheduler(&self) -> bool {
        self.schedules || !self.crons.is_empty()
    }

    /// The times of the crons, each once, in the order in which they are first named.
    #[must_use]
    pub fn cron_triggers(&self) -> Vec<String> {
        let mut triggers: Vec<String> = Vec::new();
        for cron in &self.crons {
            if !triggers.contains(&cron.expression) {
                triggers.push(cron.expression.clone());
            }
        }
        triggers
    }
}
