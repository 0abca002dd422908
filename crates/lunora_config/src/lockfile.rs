//! The lock file of the package manager.

use camino::{Utf8Path, Utf8PathBuf};
use lunora_diagnostics::Diagnostic;

use crate::file_error::{FileAction, file_diagnostic};

/// The names package managers use, the ones that exclude each other least often first.
const NAMES: [&str; 6] = [
    "package-lock.json",
    "pnpm-lock.yaml",
    "yarn.lock",
    "bun.lock",
    "bun.lockb",
    "npm-shrinkwrap.json",
];

/// The lock file of the package manager: as long as its hash stays, installed packages stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lockfile {
    /// Where it is, absolute.
    pub path: Utf8PathBuf,
    /// BLAKE3 of its bytes, in hexadecimal.
    pub hash: String,
}

impl Lockfile {
    /// Looks in the folder and above it, where workspaces keep theirs.
    ///
    /// # Errors
    /// When it exists but cannot be read.
    pub(crate) fn find(root: &Utf8Path) -> Result<Option<Self>, Diagnostic> {
        let found = root
            .ancestors()
            .flat_map(|folder| NAMES.iter().map(move |name| folder.join(name)))
            .find(|path| path.is_file());
        let Some(path) = found else {
            return Ok(None);
        };
        let bytes =
            std::fs::read(&path).map_err(|error| file_diagnostic(FileAction::Read, path.as_std_path(), &error))?;
        let hash = blake3::hash(&bytes).to_hex().to_string();
        Ok(Some(Self { path, hash }))
    }
}
