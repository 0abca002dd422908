//! Whether committed files are what would be generated.

use std::io::ErrorKind;
use std::path::Path;

use lunora_config::{FileAction, file_diagnostic};
use lunora_diagnostics::Diagnostic;

use crate::GeneratedFile;
use crate::writer::stale_files;

/// Why a file is stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StaleReason {
    /// It would be generated and is not there.
    Missing,
    /// It holds something else.
    Differs,
    /// It was generated once and would not be any more.
    Unexpected,
}

impl std::fmt::Display for StaleReason {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Missing => "is missing",
            Self::Differs => "differs from what would be generated",
            Self::Unexpected => "would not be generated any more",
        })
    }
}

/// A file that is not what would be generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// Its name within the folder.
    pub path: String,
    /// Why it is stale.
    pub reason: StaleReason,
}

/// Compares a folder with what would be generated, for `lunora codegen --check`. Line endings do not
/// count, since a checkout may have changed them.
///
/// # Errors
/// When something that is there cannot be read.
pub fn check_generated(folder: &Path, files: &[GeneratedFile]) -> Result<Vec<Stale>, Diagnostic> {
    let mut stale = Vec::new();
    for file in files {
        let path = folder.join(&*file.path);
        let reason = match std::fs::read(&path) {
            Ok(bytes) if is_same_text(&bytes, &file.contents) => continue,
            Ok(_) => StaleReason::Differs,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                StaleReason::Missing
            }
            Err(error) => return Err(file_diagnostic(FileAction::Read, &path, &error)),
        };
        stale.push(Stale {
            path: file.path.to_string(),
            reason,
        });
    }
    for path in stale_files(folder, files)? {
        stale.push(Stale {
            path,
            reason: StaleReason::Unexpected,
        });
    }
    Ok(stale)
}

fn is_same_text(bytes: &[u8], text: &str) -> bool {
    bytes == text.as_bytes() || std::str::from_utf8(bytes).is_ok_and(|found| found.replace("\r\n", "\n") == text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use lunora_testing::TempProject;

    use super::{Stale, StaleReason, check_generated};
    use crate::GeneratedFile;
    use crate::generated_file::HEADER;
    use crate::writer::write_generated;

    #[test]
    fn each_way_to_be_stale() {
        let files = ["api.ts", "server.ts", "worker.ts"].map(|path| GeneratedFile {
            path: path.into(),
            contents: format!("{HEADER}// {path}\n").into(),
        });
        let project = TempProject::new([]);
        write_generated(project.root(), &files).unwrap();
        assert_eq!(check_generated(project.root(), &files).unwrap(), []);
        project.write("api.ts", &project.read("api.ts").replace('\n', "\r\n"));
        assert_eq!(check_generated(project.root(), &files).unwrap(), []);
        project.write("api.ts", "edited");
        project.remove("server.ts");
        project.write("old.ts", HEADER);
        project.write("mine.ts", "");
        let stale = |path: &str, reason| Stale {
            path: path.to_owned(),
            reason,
        };
        assert_eq!(
            check_generated(project.root(), &files).unwrap(),
            [
                stale("api.ts", StaleReason::Differs),
                stale("server.ts", StaleReason::Missing),
                stale("old.ts", StaleReason::Unexpected),
            ]
        );
        let absent = check_generated(&project.path("nowhere"), &files).unwrap();
        assert!(absent.iter().all(|stale| stale.reason == StaleReason::Missing));
        assert_eq!(absent.len(), 3);
    }
}
