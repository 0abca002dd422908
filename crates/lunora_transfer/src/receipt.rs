//! What an export leaves behind for those who have to know that there is one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::TransferError;
use crate::files::{beside, write_json};
use crate::line::{Footer, Header};
use crate::table_hash::TableProof;

/// An export that came to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// Always 1.
    pub version: u64,
    /// Where the objects were.
    pub source_jurisdiction: Option<String>,
    /// When the export began, Unix milliseconds.
    pub exported_at: u64,
    /// Whom it asked.
    pub url: String,
    /// Whether it was said to be production: of a server on this machine the address does not tell.
    pub production: bool,
    /// What it brought.
    pub tables: BTreeMap<String, TableProof>,
    /// Always true: an export that did not come to its end leaves none.
    pub complete: bool,
}

/// Writes the receipt beside the dump, and among the receipts of the project where there is one. Answers where.
pub(crate) fn write_receipts(
    dump: &Path,
    folder: Option<&Path>,
    (url, production): (&str, bool),
    header: &Header,
    footer: &Footer,
) -> Result<Vec<PathBuf>, TransferError> {
    let receipt = Receipt {
        version: 1,
        source_jurisdiction: header.source_jurisdiction.clone(),
        exported_at: header.exported_at,
        url: url.to_owned(),
        production,
        tables: footer.tables.clone(),
        complete: true,
    };
    let mut paths = vec![beside(dump, ".receipt.json")];
    if let Some(folder) = folder {
        std::fs::create_dir_all(folder).map_err(TransferError::write(folder))?;
        paths.push(folder.join(format!("{}.json", header.exported_at)));
    }
    for path in &paths {
        write_json(path, &receipt)?;
    }
    Ok(paths)
}
