//! Rows in the databases of objects, read where they lie.
//!
//! Also beside a running server: the files are in WAL mode, in which who reads stops nobody and sees whole transactions.

use std::collections::BTreeMap;
use std::path::Path;

use lunora_diagnostics::{Diagnostic, codes};
use rusqlite::{Connection, OpenFlags};

/// What one table of a database holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Weight {
    /// Rows.
    pub(super) rows: u64,
    /// Bytes of ids, times and documents as they are stored; neither indexes nor free pages.
    pub(super) bytes: u64,
}

/// The tables of the app, by name: ours, the platform's and SQLite's have names of their own. Copies of global tables are
/// the app's too; what else has their prefix has no documents.
const TABLES: &str = "SELECT name FROM sqlite_master WHERE type = 'table' AND (name NOT GLOB '__*' OR (name GLOB '__global_*' AND EXISTS(SELECT 1 FROM pragma_table_info(sqlite_master.name) AS field WHERE field.name = 'doc'))) AND name NOT GLOB '_cf_*' AND name NOT GLOB 'sqlite_*'";

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn open(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(file, flags)
}

fn table_names(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare(TABLES)?
        .query_map((), |row| row.get::<_, String>(0))?
        .collect()
}

fn weigh(file: &Path) -> rusqlite::Result<BTreeMap<String, Weight>> {
    let connection = open(file)?;
    let mut weights = BTreeMap::new();
    for name in table_names(&connection)? {
        let sql = format!(
            "SELECT count(*), coalesce(sum(octet_length(id) + 8 + octet_length(doc)), 0) FROM {}",
            quoted(&name)
        );
        let weight = connection.query_row(&sql, (), |row| {
            Ok(Weight {
                rows: row.get::<_, i64>(0)?.unsigned_abs(),
                bytes: row.get::<_, i64>(1)?.unsigned_abs(),
            })
        })?;
        weights.insert(name, weight);
    }
    Ok(weights)
}

fn count(file: &Path) -> rusqlite::Result<BTreeMap<String, u64>> {
    let connection = open(file)?;
    let mut counts = BTreeMap::new();
    for name in table_names(&connection)? {
        let sql = format!("SELECT count(*) FROM {}", quoted(&name));
        let rows: i64 = connection.query_row(&sql, (), |row| row.get(0))?;
        counts.insert(name, rows.unsigned_abs());
    }
    Ok(counts)
}

fn unreadable(file: &Path, of: &str, error: &rusqlite::Error) -> Diagnostic {
    Diagnostic::error(
        codes::FILE_READ_FAILED,
        format!("`{}` cannot be read as {of}: {error}", file.display()),
    )
    .with_help("Stop the server and ask again; when it stays so, restore the file from a backup of the state folder.")
}

/// How many rows the tables of a D1 database have, which may have any columns.
///
/// # Errors
/// When the file is no database that can be read.
pub(super) fn counts_of(file: &Path) -> Result<BTreeMap<String, u64>, Diagnostic> {
    count(file).map_err(|error| unreadable(file, "a D1 database", &error))
}

/// What the tables of the app hold in the database of one object.
///
/// # Errors
/// When the file is no database that can be read.
pub(super) fn tables_of(file: &Path) -> Result<BTreeMap<String, Weight>, Diagnostic> {
    weigh(file).map_err(|error| unreadable(file, "the database of an object", &error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn tables_of_the_app_are_weighed_also_while_somebody_writes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("object.sqlite");
        let writer = Connection::open(&file).unwrap();
        writer
            .execute_batch(
                "PRAGMA journal_mode = WAL;
                CREATE TABLE \"no\"\"tes\"(id TEXT, _creationTime REAL, doc TEXT);
                CREATE TABLE __cdc_log(seq INTEGER); CREATE TABLE _cf_KV(key TEXT); CREATE TABLE empty(id TEXT, doc TEXT);
                INSERT INTO \"no\"\"tes\" VALUES('ab', 1, '{}'), ('cd', 2, '{\"ü\":1}');
                BEGIN; INSERT INTO empty VALUES('x', 'not committed');",
            )
            .unwrap();
        let expected = [
            ("empty".to_owned(), Weight::default()),
            (
                "no\"tes".to_owned(),
                Weight {
                    rows: 2,
                    bytes: 2 + 8 + 2 + 2 + 8 + 8,
                },
            ),
        ];
        assert_eq!(tables_of(&file).unwrap(), expected.into());
        writer.execute_batch("COMMIT").unwrap();
        assert_eq!(tables_of(&file).unwrap()["empty"].rows, 1);
    }

    #[test]
    fn what_is_no_database_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("object.sqlite");
        std::fs::write(&file, "x".repeat(5_000)).unwrap();
        assert_eq!(tables_of(&file).unwrap_err().code, codes::FILE_READ_FAILED);
    }
}
