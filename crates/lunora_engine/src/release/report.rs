//! What the gates found.

use std::path::PathBuf;

use lunora_diagnostics::{Diagnostic, SourceFiles};
use lunora_ir::drift::Drift;
use serde::Serialize;

/// How a gate ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum GateState {
    /// Nothing is in the way.
    Passed,
    /// It would stop, and was told not to.
    Overridden,
    /// It stops.
    Stopped,
}

/// One gate.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Gate {
    /// `sources`, `generated`, `schema`, `jurisdiction` or `wrangler`.
    pub name: &'static str,
    /// How it ended.
    pub state: GateState,
    /// One line.
    pub detail: String,
}

/// What the gates found.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseReport {
    /// The project.
    pub root: PathBuf,
    /// The folder of the schema and functions, below the project.
    pub lunora_directory: String,
    /// Each gate, in the order in which they were asked.
    pub gates: Vec<Gate>,
    /// What changed since the baseline; nothing when there is none.
    pub drift: Drift,
    /// The baseline, project-relative.
    pub baseline_file: String,
    /// Whether the gates wrote it.
    pub baseline_written: bool,
    /// How to move the data, when the jurisdiction changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runbook: Option<String>,
    /// What was, or will be, done to the wrangler configuration by a build.
    pub wrangler_changes: Vec<String>,
    /// Fingerprint of columns and tiers, as in the generated worker and in the headers of its exports.
    pub schema_version: String,
    /// The snapshot that becomes the baseline once it is deployed.
    #[serde(skip)]
    pub snapshot: String,
    /// The receipt that covers a move and is used up by it, absolute.
    #[serde(skip)]
    pub receipt: Option<PathBuf>,
    /// The app's Vite configuration.
    #[serde(skip)]
    pub vite_config: Option<PathBuf>,
    /// What stops a deployment.
    #[serde(skip)]
    pub stops: Vec<Diagnostic>,
    /// Warnings and advice.
    #[serde(skip)]
    pub warnings: Vec<Diagnostic>,
    /// For rendering both.
    #[serde(skip)]
    pub sources: SourceFiles,
}
