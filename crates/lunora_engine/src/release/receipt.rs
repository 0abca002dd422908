//! Receipts of exports: the proof that what a move would leave behind has been taken out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lunora_config::{FileAction, file_diagnostic};
use lunora_diagnostics::Diagnostic;
use lunora_ir::drift::Snapshot;
use serde::Deserialize;

/// Below the project.
const FOLDER: &str = ".lunora/receipts";
/// Where receipts go that a deployment has used up: they must not vouch for a second move.
const USED_FOLDER: &str = ".lunora/receipts/used";

/// An older export misses what was written since; a day is the longest maintenance window that we take for one.
const LONGEST_AGE_MILLISECONDS: u64 = 24 * 60 * 60 * 1000;

const SUFFIX: &str = ".json";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Table {
    rows: u64,
}

/// A receipt, as `lunora export` writes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    version: u32,
    source_jurisdiction: Option<String>,
    /// Epoch milliseconds.
    exported_at: u64,
    /// Whom it asked.
    url: String,
    /// Whether it was said to be production.
    #[serde(default)]
    production: bool,
    tables: BTreeMap<String, Table>,
    complete: bool,
}

/// A receipt that vouches for a move.
#[derive(Debug)]
pub(super) struct Covering {
    /// Its file.
    pub(super) path: PathBuf,
    /// Rows by table.
    pub(super) rows: BTreeMap<String, u64>,
    /// Of a server on this machine, whose data `lunora start` moves, and nobody else.
    pub(super) is_local: bool,
}

/// What was found among the receipts.
#[derive(Debug, Default)]
pub(super) struct Receipts {
    /// The newest that covers.
    pub(super) covering: Option<Covering>,
    /// Why each of the others does not.
    pub(super) refused: Vec<String>,
}

fn region(name: Option<&str>) -> &str {
    name.unwrap_or("(none)")
}

fn is_local(url: &str) -> bool {
    ["http://127.", "http://localhost", "http://[::1]"]
        .iter()
        .any(|prefix| url.starts_with(prefix))
}

/// What is behind the last colon: of addresses on one machine the port tells servers apart.
fn port(url: &str) -> &str {
    url.trim_end_matches('/').rsplit(':').next().unwrap_or_default()
}

/// Whether both are of the same app. Servers on this machine have several names; a receipt of production says nothing of
/// theirs, nor theirs of it.
fn is_same_place(one: &str, other: &str) -> bool {
    if is_local(one) {
        is_local(other)
    } else {
        one.trim_end_matches('/') == other.trim_end_matches('/')
    }
}

/// Where an app answers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'p> {
    /// Its address, where that is known.
    pub(super) url: Option<&'p str>,
    /// Further hosts under which it is reached by TLS: those of a proxy in front of it.
    pub(super) hosts: &'p [String],
}

impl Place<'_> {
    fn is_that_of(&self, url: &str) -> bool {
        let host = url
            .strip_prefix("https://")
            .and_then(|rest| rest.split(['/', ':']).next())
            .unwrap_or_default();
        self.url.is_none_or(|own| is_same_place(own, url))
            || self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host))
    }
}

/// What keeps a receipt from vouching for the move away from `baseline`.
fn objection(receipt: &Receipt, baseline: &Snapshot, place: Place<'_>, now: u64) -> Option<String> {
    if receipt.version != 1 {
        return Some(format!("has version {}, and only 1 is known", receipt.version));
    }
    if !receipt.complete {
        return Some("is of an export that did not end".to_owned());
    }
    if receipt.source_jurisdiction != baseline.jurisdiction {
        return Some(format!(
            "is of an export from {}, and the data is in {}",
            region(receipt.source_jurisdiction.as_deref()),
            region(baseline.jurisdiction.as_deref())
        ));
    }
    if !place.is_that_of(&receipt.url) {
        // Only who serves knows of further hosts.
        let proxy = if receipt.url.starts_with("https://") && place.url.is_some_and(is_local) {
            "; when that is a proxy in front of this server, name its host with --allowed-hosts"
        } else {
            ""
        };
        return Some(format!("is of an export from `{}`{proxy}", receipt.url));
    }
    // A development server's rows are not those that a deployment, or a production build beside it, leaves behind.
    let is_asked = place.url.is_some_and(|url| port(url) == port(&receipt.url));
    if is_local(&receipt.url) && !receipt.production && !is_asked {
        return Some(format!(
            "is of an export from `{}` on this machine, without `--prod`: it may be a development server's",
            receipt.url
        ));
    }
    let missing: Vec<&str> = baseline
        .tables_in_objects()
        .into_iter()
        .filter(|table| !receipt.tables.contains_key(*table))
        .collect();
    if !missing.is_empty() {
        return Some(format!("lacks the tables {}", missing.join(", ")));
    }
    if now.saturating_sub(receipt.exported_at) > LONGEST_AGE_MILLISECONDS {
        return Some("is older than a day, so that it misses what was written since".to_owned());
    }
    None
}

/// A receipt, or why the file is none.
fn read(path: &Path) -> Result<serde_json::Result<Receipt>, Diagnostic> {
    let text = std::fs::read_to_string(path).map_err(|error| file_diagnostic(FileAction::Read, path, &error))?;
    Ok(serde_json::from_str(&text))
}

fn receipts_in(folder: &Path) -> Result<Vec<PathBuf>, Diagnostic> {
    let failed = |error: &std::io::Error| file_diagnostic(FileAction::Read, folder, error);
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(&error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| failed(&error))?.path();
        let is_receipt = path.to_string_lossy().ends_with(SUFFIX);
        if is_receipt && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

impl Receipts {
    /// Looks through the receipts of a project for one that covers every table of `baseline` that is in Durable
    /// Objects, of the app at `place`. `now` is epoch milliseconds.
    pub(super) fn look(root: &Path, baseline: &Snapshot, place: Place<'_>, now: u64) -> Result<Self, Diagnostic> {
        let mut found = Self::default();
        let mut newest = 0;
        for path in receipts_in(&root.join(FOLDER))? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let receipt = match read(&path)? {
                Ok(receipt) => receipt,
                Err(error) => {
                    found.refused.push(format!("`{name}` is no receipt: {error}"));
                    continue;
                }
            };
            if let Some(objection) = objection(&receipt, baseline, place, now) {
                found.refused.push(format!("`{name}` {objection}"));
                continue;
            }
            if found.covering.is_none() || receipt.exported_at > newest {
                newest = receipt.exported_at;
                let rows = receipt.tables.into_iter().map(|(name, table)| (name, table.rows));
                found.covering = Some(Covering {
                    path,
                    rows: rows.collect(),
                    is_local: is_local(&receipt.url),
                });
            }
        }
        Ok(found)
    }
}

/// Puts a receipt away once the app has moved, and with it the earlier ones of the same data: they must not vouch for
/// another move from the same region.
pub(crate) fn use_up(root: &Path, receipt: &Path) -> Result<(), Diagnostic> {
    let folder = root.join(USED_FOLDER);
    std::fs::create_dir_all(&folder).map_err(|error| file_diagnostic(FileAction::CreateDirectory, &folder, &error))?;
    let used = read(receipt)?;
    for path in receipts_in(&root.join(FOLDER))? {
        let is_stale = match (&used, read(&path)?) {
            (Ok(used), Ok(other)) => {
                other.source_jurisdiction == used.source_jurisdiction
                    && other.exported_at <= used.exported_at
                    && is_same_place(&used.url, &other.url)
            }
            _ => path == receipt,
        };
        if is_stale {
            let target = folder.join(path.file_name().unwrap_or_default());
            std::fs::rename(&path, &target).map_err(|error| file_diagnostic(FileAction::Write, &target, &error))?;
        }
    }
    Ok(())
}
