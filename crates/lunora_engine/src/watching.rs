//! What the engine watches.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use lunora_diagnostics::Diagnostic;
use lunora_watch::{WatchOptions, Watcher};
use tokio::sync::mpsc;

use crate::actor::Command;

/// Files of the project's root that decide how sources are read or what the worker is given.
const CONFIGURATION: &[&str] = &[
    ".dev.vars",
    ".env",
    ".env.local",
    "package.json",
    "tsconfig.json",
    "wrangler.json",
    "wrangler.jsonc",
];

/// Watches folders and the configuration, and tells the actor.
///
/// # Errors
/// Those of [`Watcher::start`].
pub(crate) fn watch(
    root: &Path,
    roots: BTreeSet<PathBuf>,
    commands: &mpsc::UnboundedSender<Command>,
) -> Result<Watcher, Diagnostic> {
    let commands = commands.clone();
    let options = WatchOptions {
        files: CONFIGURATION.iter().map(|name| root.join(name)).collect(),
        ..WatchOptions::default()
    };
    Watcher::start(roots.into_iter().collect(), options, move |event| {
        // After the actor ended there is nobody to tell.
        drop(commands.send(Command::Watched(event)));
    })
}

/// Whether a file is one of the project's configuration.
pub(crate) fn is_configuration(root: &Path, file: &Path) -> bool {
    file.parent() == Some(root)
        && file
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| CONFIGURATION.contains(&name))
}
