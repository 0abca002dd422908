//! Bringing the configuration on disk up to date.

use camino::{Utf8Path, Utf8PathBuf};
use lunora_diagnostics::{Diagnostic, codes};

use super::databases::added_warnings;
use super::find::find_wrangler_config;
use super::fresh::fresh_wrangler;
use super::reconcile::{Change, reconcile_wrangler};
use super::wanted::Wanted;
use crate::file_error::{FileAction, file_diagnostic};
use crate::replace_file::replace_file;

/// What was done, or would be done, to the configuration on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WranglerUpdate {
    /// The configuration.
    pub path: Utf8PathBuf,
    /// There was none before.
    pub created: bool,
    /// What was added, raised or removed; empty when the file was not touched or is new.
    pub changes: Vec<Change>,
    /// What was left although it looks wrong.
    pub warnings: Vec<Diagnostic>,
}

/// Brings the configuration in a folder up to date, or creates `wrangler.jsonc`. A file that lacks
/// nothing is not written.
///
/// # Errors
/// Those of [`reconcile_wrangler`] and [`replace_file`]; the file is then as it was.
pub fn update_wrangler(root: &Utf8Path, wanted: &Wanted) -> Result<WranglerUpdate, Diagnostic> {
    let (update, text) = planned(root, wanted)?;
    if let Some(text) = text {
        replace_file(update.path.as_std_path(), text.as_bytes())?;
    }
    Ok(update)
}

/// What [`update_wrangler`] would do; writes nothing.
///
/// # Errors
/// Those of [`reconcile_wrangler`].
pub fn plan_wrangler(root: &Utf8Path, wanted: &Wanted) -> Result<WranglerUpdate, Diagnostic> {
    planned(root, wanted).map(|(update, _)| update)
}

/// The update, and the text to write when there is one.
fn planned(root: &Utf8Path, wanted: &Wanted) -> Result<(WranglerUpdate, Option<String>), Diagnostic> {
    let Some(path) = find_wrangler_config(root)? else {
        let update = WranglerUpdate {
            path: root.join("wrangler.jsonc"),
            created: true,
            changes: Vec::new(),
            warnings: added_warnings(&wanted.databases).collect(),
        };
        return Ok((update, Some(fresh_wrangler(wanted))));
    };
    let text = std::fs::read_to_string(&path)
        .map_err(|error| file_diagnostic(FileAction::Read, path.as_std_path(), &error))?;
    let name = path.file_name().unwrap_or(path.as_str());
    let reconciled = reconcile_wrangler(name, &text, wanted)?;
    let differs = reconciled.text != text;
    if differs {
        // The file is the user's: it is written only when reading it back proves the edit right.
        let proof = reconcile_wrangler(name, &reconciled.text, wanted);
        if !proof.is_ok_and(|proof| proof.changes.is_empty()) {
            return Err(Diagnostic::error(
                codes::INTERNAL,
                format!("the additions to `{name}` did not read back as intended, so it was not written"),
            )
            .with_help("Add the missing parts by hand and report the file: this is a defect"));
        }
    }
    let update = WranglerUpdate {
        path,
        created: false,
        changes: reconciled.changes,
        warnings: reconciled.warnings,
    };
    Ok((update, differs.then_some(reconciled.text)))
}
