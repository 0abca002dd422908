//! Kinds of rooms: who may be present where, and what they say of themselves.

use serde::{Deserialize, Serialize};

/// A kind of room. What its members say of themselves is TypeScript's to find out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Presence {
    /// Path on the wire: `<file below lunora/ without extension>:<export>`.
    pub path: String,
    /// The file, project-relative with `/`.
    pub file: String,
    /// The name it is exported by.
    pub export: String,
}
