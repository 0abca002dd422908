//! The D1 databases of a state folder, read where they lie.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lunora_diagnostics::Diagnostic;
use serde::Serialize;

use super::stored_rows::counts_of;
use super::{entries, name_of};
use crate::databases::folder_of;

const EXTENSION: &str = ".sqlite";

/// A D1 database on this machine. Nothing of the schema pins it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredDatabase {
    /// Whose state: `development`, `production build` or `stated`.
    pub server: String,
    /// The binding that it goes by.
    pub database: String,
    /// Its file.
    pub file: PathBuf,
    /// Its size on disk, journals included.
    pub bytes: u64,
    /// How many rows each of its tables has; neither ours nor SQLite's own.
    pub tables: BTreeMap<String, u64>,
}

/// The databases of one state folder, by name.
pub(super) fn stored_databases(server: &str, state: &Path) -> Result<Vec<StoredDatabase>, Diagnostic> {
    let mut found: Vec<StoredDatabase> = Vec::new();
    // Sorted: the journals of a database come after it.
    for file in entries(&folder_of(state))? {
        let name = name_of(&file);
        let bytes = std::fs::metadata(&file).map_or(0, |metadata| metadata.len());
        if let Some(database) = name.strip_suffix(EXTENSION) {
            found.push(StoredDatabase {
                server: server.to_owned(),
                database: database.to_owned(),
                tables: counts_of(&file)?,
                bytes,
                file,
            });
        } else if let Some((database, _)) = name.split_once(EXTENSION)
            && let Some(known) = found.iter_mut().find(|known| known.database == database)
        {
            known.bytes += bytes;
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn databases_are_found_with_their_journals_and_rows() {
        let state = tempfile::tempdir().unwrap();
        assert!(stored_databases("stated", state.path()).unwrap().is_empty());
        let folder = folder_of(state.path());
        std::fs::create_dir_all(&folder).unwrap();
        let connections: Vec<_> = ["DB", "DB_EU"]
            .into_iter()
            .map(|name| {
                let connection = rusqlite::Connection::open(folder.join(format!("{name}.sqlite"))).unwrap();
                connection
                    .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE plain(x); INSERT INTO plain VALUES(1), (2)")
                    .unwrap();
                connection
            })
            .collect();
        connections[0]
            .execute_batch("CREATE TABLE __lunora_meta(name)")
            .unwrap();
        let found = stored_databases("stated", state.path()).unwrap();
        let names: Vec<&str> = found.iter().map(|one| one.database.as_str()).collect();
        assert_eq!(names, ["DB", "DB_EU"]);
        for one in &found {
            assert_eq!(one.tables, BTreeMap::from([("plain".to_owned(), 2)]));
            let journal = std::fs::metadata(format!("{}-wal", one.file.display())).unwrap();
            assert!(journal.len() > 0 && one.bytes > journal.len(), "{one:?}");
        }
    }
}
