//! What the host passes. A field that is not known is refused, which serde cannot do for shared ones
//! (`flatten`), so each structure names its project itself.

use std::path::PathBuf;

use serde::Deserialize;

use crate::resolution::Alias;

fn worker_by_default() -> bool {
    true
}

fn command_by_default() -> String {
    "lunora dev".to_owned()
}

/// Whether development has an inspector, and on which port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum InspectorChoice {
    /// One on a port that the system chooses, or none.
    Wanted(bool),
    /// One on this port.
    At(InspectorPort),
}

/// A port that the developer chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InspectorPort {
    /// On both loopback addresses; 0 leaves the choice to the system.
    pub port: u16,
}

impl Default for InspectorChoice {
    fn default() -> Self {
        Self::Wanted(true)
    }
}

impl InspectorChoice {
    /// The port to listen on; none when there is to be no inspector.
    #[must_use]
    pub const fn port(self) -> Option<u16> {
        match self {
            Self::Wanted(true) => Some(0),
            Self::Wanted(false) => None,
            Self::At(InspectorPort { port }) => Some(port),
        }
    }
}

/// Options of the development engine, as the host passes them.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EngineOptions {
    /// A folder in or below the project.
    pub root: PathBuf,
    /// The folder of the schema and functions, below the project.
    #[serde(default)]
    pub lunora_directory: Option<String>,
    /// Whether rendered texts carry ANSI colours.
    #[serde(default)]
    pub color: bool,
    /// Port on loopback; 0 picks a free one.
    #[serde(default)]
    pub port: u16,
    /// Whether a busy port gives way to the next free one.
    #[serde(default)]
    pub next_free_port: bool,
    /// Hosts under which browsers reach the server that forwards to this one.
    #[serde(default)]
    pub allowed_hosts: Vec<String>,
    /// Path of the workerd program.
    #[serde(default)]
    pub workerd: Option<PathBuf>,
    /// Aliases of the bundler.
    #[serde(default)]
    pub alias: Vec<Alias>,
    /// Whether a worker runs; without one the engine watches and generates only.
    #[serde(default = "worker_by_default")]
    pub worker: bool,
    /// Whether the worker is bundled instead of loaded module by module.
    #[serde(default)]
    pub bundle: bool,
    /// Whether there is an inspector; where no worker runs there is none.
    #[serde(default)]
    pub inspector: InspectorChoice,
    /// Chaos that is played from the first worker on: its seed.
    #[serde(default)]
    pub chaos: Option<u64>,
    /// How the holder of the state lock is named to others.
    #[serde(default = "command_by_default")]
    pub command: String,
}

/// Options of one run of code generation.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CodegenOptions {
    /// A folder in or below the project.
    pub root: PathBuf,
    /// The folder of the schema and functions, below the project.
    #[serde(default)]
    pub lunora_directory: Option<String>,
    /// Whether rendered texts carry ANSI colours.
    #[serde(default)]
    pub color: bool,
    /// Compares instead of writing; files that differ are errors.
    #[serde(default)]
    pub check: bool,
}

/// Options of a production build.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BuildOptions {
    /// A folder in or below the project.
    pub root: PathBuf,
    /// The folder of the schema and functions, below the project.
    #[serde(default)]
    pub lunora_directory: Option<String>,
    /// Whether rendered texts carry ANSI colours.
    #[serde(default)]
    pub color: bool,
    /// The worker that the bundler will write, below the project.
    pub worker_file: String,
    /// The folder of the client that the bundler will write, below the project, when there is a client.
    #[serde(default)]
    pub client_directory: Option<String>,
}
