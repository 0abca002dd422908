//! Lines that travel together, by shard.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::json;

/// About how many bytes of lines travel together.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Shards that the server visits in one call.
const BATCH_SHARDS: usize = 200;

/// What is to be sent next.
#[derive(Default)]
pub(crate) struct Batch {
    shards: BTreeMap<String, String>,
    bytes: usize,
}

impl Batch {
    /// The shard is to be there, with or without rows.
    pub(crate) fn touch(&mut self, shard: &str) {
        if !self.shards.contains_key(shard) {
            self.shards.insert(shard.to_owned(), String::new());
        }
    }

    /// A line of the dump and its number.
    pub(crate) fn add(&mut self, shard: &str, number: u64, line: &str) {
        self.touch(shard);
        if let Some(lines) = self.shards.get_mut(shard) {
            // Writing into a string cannot fail.
            let _ = writeln!(lines, "{number} {line}");
        }
        self.bytes += line.len();
    }

    pub(crate) fn is_full(&self) -> bool {
        self.bytes >= BATCH_BYTES || self.shards.len() >= BATCH_SHARDS
    }

    /// Everything as the server reads it; the batch is empty again.
    pub(crate) fn take(&mut self) -> String {
        let mut text = String::with_capacity(self.bytes + self.bytes / 8);
        for (name, lines) in std::mem::take(&mut self.shards) {
            let _ = writeln!(text, "1 {}", json!({ "kind": "shard", "name": name }));
            text.push_str(&lines);
        }
        self.bytes = 0;
        text
    }
}
