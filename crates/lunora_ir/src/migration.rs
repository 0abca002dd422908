//! Data migrations: transforms of the documents of one table.

use serde::{Deserialize, Serialize};

/// A migration, as `defineMigration` declares it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Migration {
    /// Names it for ever: a shard that has run it does not run it again.
    pub id: String,
    /// The table whose documents it transforms.
    pub table: String,
    /// The file, project-relative with `/`.
    pub file: String,
    /// The name it is exported by.
    pub export: String,
    /// Whether it can be taken back.
    pub has_down: bool,
}
