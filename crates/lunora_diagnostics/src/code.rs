//! Stable codes.

use serde::Serialize;

/// A stable code, one of [`codes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct Code(&'static str);

impl Code {
    /// The text users and tools see, for example `UNKNOWN_TABLE`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.0)
    }
}

/// What the table says of a code.
#[derive(Debug, Clone, Copy)]
pub struct CodeEntry {
    /// The code.
    pub code: Code,
    /// What it means, one sentence.
    pub explanation: &'static str,
    /// What unblocks it, one sentence.
    pub help: &'static str,
    /// The HTTP status it travels with, where it can reach a client.
    pub status: Option<u64>,
}

include!(concat!(env!("OUT_DIR"), "/codes.rs"));
