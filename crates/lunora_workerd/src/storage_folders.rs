//! Where data lies below a state folder: `<region>/do/<unique key>/<object id>.sqlite`.

use std::path::{Path, PathBuf};

/// The folder of what no jurisdiction pins.
pub(crate) const UNPINNED: &str = "none";

/// The folders of Durable Objects, by region.
#[derive(Debug, Clone)]
pub(crate) struct StorageFolders {
    state: PathBuf,
}

impl StorageFolders {
    /// Those of a state folder.
    pub(crate) fn below(state: &Path) -> Self {
        Self {
            state: state.to_path_buf(),
        }
    }

    /// The folder of one jurisdiction, or of what none pins.
    pub(crate) fn of(&self, jurisdiction: Option<&str>) -> PathBuf {
        self.state.join(jurisdiction.unwrap_or(UNPINNED)).join("do")
    }
}
