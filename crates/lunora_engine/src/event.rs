//! What the engine tells its host.

use std::path::PathBuf;

use serde::Serialize;

/// A specifier to bundle and the file its entry goes to.
#[derive(Debug, Clone, Serialize)]
pub struct DependencyEntry {
    /// As app code imports it.
    pub specifier: String,
    /// Below the output folder.
    pub file: String,
}

/// One event. Those with a `request` want an answer.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum EngineEvent {
    /// Bundle these npm packages into the folder.
    Dependencies {
        /// Named in the answer.
        request: u32,
        /// What to bundle.
        entries: Vec<DependencyEntry>,
        /// Where to; empty now.
        output_directory: PathBuf,
        /// The project.
        root: PathBuf,
    },
    /// Bundle the whole worker into one file.
    Bundle {
        /// Named in the answer.
        request: u32,
        /// The worker's entry.
        entry: PathBuf,
        /// Where to.
        output_file: PathBuf,
        /// The project.
        root: PathBuf,
        /// Why, when nobody asked for it.
        reason: Option<String>,
    },
    /// Code generation succeeded.
    Generated {
        /// Files that changed.
        written: Vec<String>,
        /// Files that are gone.
        removed: Vec<String>,
        /// How many tables there are.
        tables: usize,
        /// How many functions there are.
        functions: usize,
        /// Reading, linking and writing.
        milliseconds: f64,
    },
    /// Findings. With errors among them, the newest code is not what is served.
    Diagnostics {
        /// As JSON for tools and the overlay.
        diagnostics: Vec<serde_json::Value>,
        /// As text for a terminal.
        rendered: String,
        /// Whether an earlier worker keeps serving.
        serving: bool,
    },
    /// All errors are gone.
    Recovered,
    /// A worker answers.
    Ready {
        /// Where.
        url: String,
        /// Stop of the old one, if any, to the first byte of the new one.
        milliseconds: f64,
        /// 1 for the first, counting up.
        generation: u64,
    },
    /// The inspector answers.
    Inspector {
        /// Where, with its token in the fragment.
        url: String,
        /// Where, without it.
        origin: String,
    },
    /// Chaos is played from the first step of a seed on, or no longer.
    Chaos {
        /// None when it ended.
        seed: Option<u64>,
    },
    /// The worker wrote a line.
    Log {
        /// `debug`, `info`, `warn` or `error`.
        level: &'static str,
        /// The text.
        message: String,
        /// With level and colours, for a terminal.
        rendered: String,
    },
    /// Something worth saying once.
    Notice {
        /// The text.
        message: String,
    },
}
