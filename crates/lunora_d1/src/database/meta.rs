//! What is told of a query beside its rows.

use std::time::Duration;

use serde::Serialize;

/// `meta` of the binding.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Meta {
    served_by: &'static str,
    served_by_primary: bool,
    total_attempts: u32,
    timings: Timings,
    /// Milliseconds.
    duration: f64,
    /// Rows inserted, updated and deleted, by triggers and cascades too.
    pub changes: u64,
    /// Of the newest row that this process inserted, whatever the query was.
    pub last_row_id: i64,
    /// Whether rows or the size changed.
    pub changed_db: bool,
    /// Bytes in use.
    pub size_after: i64,
    /// The steps of full scans, or the rows answered where these are more: a lower bound, because SQLite counts no rows
    /// that an index leads to.
    pub rows_read: u64,
    /// The same as `changes`: a lower bound, because the entries of indexes are not counted.
    pub rows_written: u64,
}

#[derive(Debug, Default, Serialize)]
struct Timings {
    sql_duration_ms: f64,
}

impl Meta {
    /// Of a query that took so long.
    pub fn lasting(time: Duration) -> Self {
        let duration = time.as_secs_f64() * 1000.0;
        Self {
            served_by: "lunora",
            served_by_primary: true,
            total_attempts: 1,
            timings: Timings {
                sql_duration_ms: duration,
            },
            duration,
            ..Self::default()
        }
    }

    /// Appends it as JSON.
    pub fn write(&self, out: &mut Vec<u8>) {
        // Plain numbers, and memory takes all.
        drop(serde_json::to_writer(out, self));
    }
}
