//! How to watch.

use std::path::PathBuf;
use std::time::Duration;

/// Settings of a watcher.
#[derive(Debug, Clone)]
pub struct WatchOptions {
    /// Changes are reported when nothing has happened for this long.
    pub quiet: Duration,
    /// The same while a single path has changed.
    pub quiet_for_one: Duration,
    /// Changes are reported after this long even if they do not stop.
    pub longest_wait: Duration,
    /// Globs on paths relative to a root. One without `/` applies at every depth. What matches is not
    /// looked into.
    pub ignore: Vec<String>,
    /// Single files outside the roots, which need not exist yet.
    pub files: Vec<PathBuf>,
}

impl Default for WatchOptions {
    fn default() -> Self {
        Self {
            quiet: Duration::from_millis(15),
            quiet_for_one: Duration::from_millis(4),
            longest_wait: Duration::from_millis(250),
            ignore: ["node_modules", ".git", "_generated", ".lunora"]
                .map(str::to_owned)
                .into(),
            files: Vec::new(),
        }
    }
}
