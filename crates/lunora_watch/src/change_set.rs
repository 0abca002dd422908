//! What a quiet period brought.

use std::collections::BTreeMap;
use std::path::PathBuf;

use lunora_diagnostics::Diagnostic;

/// How a file changed since it was last reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was not there.
    Created,
    /// It may have other content.
    Modified,
    /// It is gone.
    Removed,
}

/// All changes of one quiet period. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangeSet {
    /// Files (never directories) by absolute path.
    pub changes: BTreeMap<PathBuf, ChangeKind>,
    /// Events were lost, so everything was compared.
    pub rescanned: bool,
}

/// What the watcher reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchEvent {
    /// Files changed.
    Changes(ChangeSet),
    /// Something stands in the way of watching.
    Diagnostic(Diagnostic),
}
