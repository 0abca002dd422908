//! What a command came to.

use std::path::PathBuf;

use serde::Serialize;

/// Either everything is done, or the host goes on with what needs JavaScript.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum CommandOutcome {
    /// Nothing is left to do but write and exit.
    Done {
        /// 0 done, 1 failed, 2 wrong usage or errors in the app's sources, 3 stopped by a gate.
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
        /// The seed of chaos that is asked for.
        chaos: Option<u64>,
        /// As asked for.
        json: bool,
    },
    /// Build and deploy: the gates let it pass.
    Deploy {
        /// For standard output, before anything else.
        stdout: String,
        /// For standard error, before anything else.
        stderr: String,
        /// The project.
        root: PathBuf,
        /// The folder of the schema and functions, below the project.
        lunora_directory: String,
        /// The app's Vite configuration, when it has one.
        vite_config: Option<PathBuf>,
        /// As asked for.
        environment: Option<String>,
        /// As asked for.
        dry_run: bool,
        /// As asked for.
        json: bool,
        /// What the gates found, for the one JSON document.
        report: serde_json::Value,
        /// The baseline once it is deployed.
        snapshot: String,
        /// The receipt that covers a change of the jurisdiction.
        receipt: Option<PathBuf>,
    },
    /// Serve the production build.
    Start {
        /// For the server, as it takes them.
        options: serde_json::Value,
        /// Milliseconds that requests under way get to end.
        drain: u32,
        /// As asked for.
        json: bool,
    },
    /// Ask servers what crossed a boundary, and show it all.
    Residency {
        /// Where data is, without crossings.
        report: serde_json::Value,
        /// The same for people.
        stdout: String,
        /// Whom to ask.
        servers: Vec<String>,
        /// As asked for.
        json: bool,
    },
}
