//! What is written down once a deployment has succeeded.

use std::path::PathBuf;

use lunora_diagnostics::Diagnostic;
use serde::Deserialize;

use super::baseline::Baseline;
use super::receipt::use_up;
use crate::settings::discover;

/// What was deployed.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReleaseFinish {
    /// The project.
    pub root: PathBuf,
    /// The folder of the schema and functions, below the project.
    pub lunora_directory: String,
    /// The snapshot that the gates saw.
    pub snapshot: String,
    /// The receipt that covered a move.
    #[serde(default)]
    pub receipt: Option<PathBuf>,
}

/// Makes what was deployed the baseline. Returns the baseline's file, project-relative.
///
/// # Errors
/// When a file cannot be written.
pub fn finish_release(finish: &ReleaseFinish) -> Result<String, Diagnostic> {
    let project = discover(&finish.root, Some(&finish.lunora_directory))?;
    let baseline = Baseline::read(&project)?;
    baseline.write(&finish.snapshot)?;
    if let Some(receipt) = &finish.receipt {
        use_up(&finish.root, receipt)?;
    }
    Ok(baseline.name)
}
