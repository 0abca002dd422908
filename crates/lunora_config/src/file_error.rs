//! What the operating system refused, as a diagnostic.

use std::io::{Error, ErrorKind};
use std::path::Path;

use lunora_diagnostics::{Diagnostic, codes};

/// What was being done to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileAction {
    /// Reading a file or listing a directory.
    Read,
    /// Writing or replacing a file.
    Write,
    /// Creating a directory.
    CreateDirectory,
    /// Removing a file.
    Remove,
}

impl FileAction {
    const fn verb(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "written",
            Self::CreateDirectory => "created",
            Self::Remove => "removed",
        }
    }
}

/// The diagnostic for an error of the file system; its code follows from the cause, its help says
/// what unblocks that cause.
#[must_use]
pub fn file_diagnostic(action: FileAction, path: &Path, error: &Error) -> Diagnostic {
    let shown = path.display();
    let verb = action.verb();
    let reading = action == FileAction::Read;
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Diagnostic::error(
            codes::DISK_FULL,
            format!("`{shown}` cannot be {verb}: the disk has no room for it ({error})"),
        )
        .with_help("Free some space or raise the quota; what was there before is untouched"),
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied if !reading => Diagnostic::error(
            codes::PATH_READ_ONLY,
            format!("`{shown}` cannot be {verb}: this process may not write there ({error})"),
        )
        .with_help("Give the user that runs this write access to the folder, or mount it writable"),
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists
            if action == FileAction::CreateDirectory || error.kind() == ErrorKind::NotADirectory =>
        {
            not_a_directory(path)
        }
        ErrorKind::IsADirectory => not_a_file(path),
        _ => Diagnostic::error(
            if reading {
                codes::FILE_READ_FAILED
            } else {
                codes::FILE_WRITE_FAILED
            },
            format!("`{shown}` cannot be {verb}: {error}"),
        )
        .with_help(if reading {
            "Check that it exists and that the user that runs this may read it"
        } else {
            "Check that the folder exists and that the user that runs this may write there"
        }),
    }
}

/// A file stands where a folder is needed.
pub(crate) fn not_a_directory(path: &Path) -> Diagnostic {
    let shown = path.display();
    Diagnostic::error(
        codes::PATH_NOT_A_DIRECTORY,
        format!("`{shown}` is needed as a folder, but it or a part of its path is a file"),
    )
    .with_help("Move the file away or rename it")
}

/// A folder stands where a file is needed.
pub(crate) fn not_a_file(path: &Path) -> Diagnostic {
    let shown = path.display();
    Diagnostic::error(
        codes::PATH_NOT_A_FILE,
        format!("`{shown}` is needed as a file, but it is a folder"),
    )
    .with_help("Move the folder away or rename it")
}
