//! What can go wrong, with stable codes.

use std::io;
use std::path::{Path, PathBuf};

use lunora_client::ClientError;
use lunora_diagnostics::codes;
use thiserror::Error;

/// Why a transfer did not come to its end.
#[derive(Debug, Error)]
pub enum TransferError {
    /// The server refused, or could not be reached.
    #[error(transparent)]
    Server(#[from] ClientError),
    /// A file could not be read.
    #[error("`{path}` cannot be read: {source}", path = .0.display(), source = .1)]
    Read(PathBuf, #[source] io::Error),
    /// A file could not be written.
    #[error("`{path}` cannot be written: {source}", path = .0.display(), source = .1)]
    Write(PathBuf, #[source] io::Error),
    /// The file to be written is there already.
    #[error("`{}` is there already", .0.display())]
    OutputExists(PathBuf),
    /// Another process is at work on the same file.
    #[error("`{}` is being written by another process", .0.display())]
    Busy(PathBuf),
    /// A line is none of a dump.
    #[error("line {line}: {why}")]
    Malformed {
        /// From 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// The dump is not whole.
    #[error("the dump is not whole: {0}")]
    Truncated(String),
    /// Written by another version.
    #[error("it says version `{0}`, and this program reads version `1`")]
    Version(String),
    /// Two sides that should have the same rows do not.
    #[error("{0}")]
    Proof(String),
    /// Nothing to go on with.
    #[error("{0}")]
    Checkpoint(String),
}

impl TransferError {
    /// The stable code; for what the server refused, the one it sent.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Server(error) => error.code(),
            Self::Read(..) => codes::FILE_READ_FAILED.as_str(),
            Self::Write(_, error) if error.kind() == io::ErrorKind::StorageFull => codes::DISK_FULL.as_str(),
            Self::Write(_, error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => {
                codes::PATH_READ_ONLY.as_str()
            }
            Self::Write(..) => codes::FILE_WRITE_FAILED.as_str(),
            Self::OutputExists(_) | Self::Busy(_) => codes::TRANSFER_OUTPUT_EXISTS.as_str(),
            Self::Malformed { .. } => codes::TRANSFER_FILE_MALFORMED.as_str(),
            Self::Truncated(_) => codes::TRANSFER_FILE_TRUNCATED.as_str(),
            Self::Version(_) => codes::TRANSFER_VERSION_UNSUPPORTED.as_str(),
            Self::Proof(_) => codes::TRANSFER_PROOF_FAILED.as_str(),
            Self::Checkpoint(_) => codes::TRANSFER_CHECKPOINT_UNUSABLE.as_str(),
        }
    }

    /// What unblocks it, where the server or the case says more than the code.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Server(ClientError::Refused(body)) => body.hint.clone(),
            _ => None,
        }
    }

    pub(crate) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |error| Self::Read(path, error)
    }

    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |error| Self::Write(path, error)
    }

    /// An answer that is none of the admin routes.
    pub(crate) fn answer(why: impl Into<String>) -> Self {
        Self::Server(ClientError::Answer(why.into()))
    }
}
