//! The baseline: the snapshot of the schema that was deployed last, committed with the sources.

use std::path::PathBuf;

use lunora_config::{FileAction, Project, file_diagnostic, replace_file};
use lunora_diagnostics::{Diagnostic, SourceFiles, Span, codes};
use lunora_ir::drift::{Snapshot, SnapshotParseError};

/// Name of the baseline, in the folder of the schema.
pub const BASELINE_FILE: &str = ".lunora-schema.json";

/// A baseline on disk.
pub(super) struct Baseline {
    /// Project-relative, with `/`.
    pub(super) name: String,
    pub(super) path: PathBuf,
    /// None where there is no file.
    pub(super) text: Option<String>,
}

fn offset(text: &str, error: &SnapshotParseError) -> u32 {
    let line_start: usize = text
        .split_inclusive('\n')
        .take(error.line.saturating_sub(1))
        .map(str::len)
        .sum();
    let at = (line_start + error.column.saturating_sub(1)).min(text.len());
    u32::try_from(at).unwrap_or(u32::MAX)
}

impl Baseline {
    pub(super) fn read(project: &Project) -> Result<Self, Diagnostic> {
        let path = project.lunora_dir.join(BASELINE_FILE).into_std_path_buf();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(file_diagnostic(FileAction::Read, &path, &error)),
        };
        Ok(Self {
            name: format!("{}/{BASELINE_FILE}", project.directory),
            path,
            text,
        })
    }

    /// The snapshot; none where there is no file.
    pub(super) fn snapshot(&self, sources: &mut SourceFiles) -> Result<Option<Snapshot>, Diagnostic> {
        let Some(text) = &self.text else {
            return Ok(None);
        };
        Snapshot::parse(text).map(Some).map_err(|error| {
            let name = &self.name;
            sources.insert(name.clone(), text.clone());
            let start = offset(text, &error);
            Diagnostic::error(
                codes::SCHEMA_SNAPSHOT_PARSE,
                format!("`{name}` is no snapshot of a schema: {error}"),
            )
            .at(name.clone(), Span { start, end: start + 1 })
            .with_help(format!(
                "Restore it from version control. Without it nothing can tell what stored data looks like; only when the deployed schema is the one at hand, remove it and run lunora prepare. (`{name}` is written by lunora alone.)"
            ))
        })
    }

    pub(super) fn write(&self, text: &str) -> Result<(), Diagnostic> {
        if self.text.as_deref() == Some(text) {
            return Ok(());
        }
        replace_file(&self.path, text.as_bytes())
    }
}
