//! The schema that the data of a state folder was written with.

use std::path::Path;

use lunora_config::{FileAction, file_diagnostic, replace_file};
use lunora_diagnostics::{Diagnostic, codes};
use lunora_ir::drift::Snapshot;

const FILE: &str = "schema.json";

/// The snapshot; none in a new folder.
pub(super) fn read(state: &Path) -> Result<Option<Snapshot>, Diagnostic> {
    let file = state.join(FILE);
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(file_diagnostic(FileAction::Read, &file, &error)),
    };
    Snapshot::parse(&text).map(Some).map_err(|error| {
        Diagnostic::error(
            codes::SCHEMA_SNAPSHOT_PARSE,
            format!("`{}` is no snapshot of a schema: {error}", file.display()),
        )
        .with_help("Restore it from a backup of the state folder. Without it nothing can tell what the stored data looks like; only when the schema of this build wrote the data, remove it.")
    })
}

/// Written once the worker serves.
pub(super) fn write(state: &Path, snapshot: &Snapshot) -> Result<(), Diagnostic> {
    let text = snapshot.to_text().map_err(|error| {
        Diagnostic::error(
            codes::INTERNAL,
            format!("the schema's snapshot could not be written: {error}"),
        )
        .with_help("This is a defect of Lunora.")
    })?;
    let file = state.join(FILE);
    if std::fs::read_to_string(&file).is_ok_and(|known| known == text) {
        return Ok(());
    }
    replace_file(&file, text.as_bytes())
}
