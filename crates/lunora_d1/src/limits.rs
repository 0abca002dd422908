//! What a request and a database may be.

use std::time::Duration;

/// What a request and a database may be. The default is what D1 allows where it says so.
#[derive(Debug, Clone)]
pub struct D1Limits {
    /// Bytes of a database's file; beyond it a write fails with `SQLITE_FULL`.
    pub database_bytes: u64,
    /// How long the statements of one request may run.
    pub query_time: Duration,
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Bytes of an answer's rows as JSON.
    pub answer_bytes: usize,
    /// Requests that share a commit at most; 1 gives each its own.
    pub group: usize,
}

impl Default for D1Limits {
    fn default() -> Self {
        Self {
            database_bytes: 10_000_000_000,
            query_time: Duration::from_secs(30),
            body_bytes: 64 << 20,
            answer_bytes: 32 << 20,
            group: 128,
        }
    }
}
