//! Telling somebody how far a transfer is.

/// What happens during a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// So many rows and shards so far.
    Moved {
        /// Rows.
        rows: u64,
        /// Shards that began.
        shards: u64,
    },
    /// Writes are refused from now on.
    Paused,
    /// What was read of a shard is not kept any more: it is read again from its beginning.
    ShardAgain,
    /// Every shard tries what the commit will do.
    Preparing,
    /// The rows count from now on.
    Committed,
    /// The import is given up, and nothing of it is left.
    Aborted,
    /// Both sides are counted and hashed.
    Verifying,
}

/// Who is told.
pub trait Observer {
    /// Something happened.
    fn step(&mut self, step: &Step);
}
