//! Watches an app's files and says, once per quiet period, which of them changed.
//!
//! What the operating system reports is taken as a hint where to look, never as what happened: at the
//! end of a quiet period the places hinted at are compared with a snapshot. Rename-saves, files that
//! come and go, moved directories and lost events then need no rules of their own. DESIGN.md says more.

mod change_set;
mod debounce;
mod directory_watches;
mod filter;
mod inspect;
mod options;
mod snapshot;
mod temporary_file;
mod watcher;

pub use change_set::{ChangeKind, ChangeSet, WatchEvent};
pub use inspect::scan;
pub use options::WatchOptions;
pub use watcher::Watcher;
