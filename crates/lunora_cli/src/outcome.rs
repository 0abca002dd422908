//! What a command came to.

use std::path::PathBuf;

use serde::Serialize;

/// Either everything is done, or the host goes on with what needs JavaScript.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum CommandOutcome {
    /// Nothing is left to do but write and exit.
    Done {
        /// 0 done, 1 failed, 2 wrong usage or errors in the app's sources.
        exit_code: u8,
        /// For standard output.
        stdout: String,
        /// For standard error.
        stderr: String,
    },
    /// Run the development server.
    Dev {
        /// The project.
        root: PathBuf,
        /// The folder of the schema and functions, below the project.
        lunora_directory: String,
        /// As asked for.
        port: Option<u16>,
        /// As asked for.
        host: Option<String>,
        /// The app's Vite configuration, when Vite is to run.
        vite_config: Option<PathBuf>,
        /// As asked for.
        workerd: Option<PathBuf>,
        /// As asked for.
        bundle: bool,
        /// As asked for.
        json: bool,
    },
}
