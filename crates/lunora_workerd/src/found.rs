//! Which workerd an app is run with, for whoever only asks.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use lunora_diagnostics::Diagnostic;

use crate::binary::resolve_binary;
use crate::calendar_date::CalendarDate;
use crate::check::newest;

/// The workerd that an app is run with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundWorkerd {
    /// The executable itself.
    pub path: PathBuf,
    /// The day it was built, `YYYY-MM-DD`.
    pub build_date: String,
    /// The latest compatibility date that it takes, `YYYY-MM-DD`.
    pub newest_date: String,
}

/// Finds it as a start does: `explicit`, else the package of the app in `app_root`, else the PATH. Runs it only where
/// its version is not written beside it.
///
/// # Errors
/// When there is none, it cannot be run, or its version is not supported.
pub fn find_workerd(explicit: Option<&Path>, app_root: &Path, now: SystemTime) -> Result<FoundWorkerd, Diagnostic> {
    let found = resolve_binary(explicit, app_root, std::env::var_os("PATH").as_deref())?;
    Ok(FoundWorkerd {
        newest_date: newest(found.build_date, CalendarDate::of(now)).to_string(),
        build_date: found.build_date.to_string(),
        path: found.path,
    })
}
