//! Writes the rows of all objects' databases below a folder as NDJSON, with nothing but SQLite: what `lunora export` is
//! read beside. `cargo run --release -p lunora_engine --example dump_databases -- FOLDER TABLE OUT`
#![allow(clippy::print_stdout, reason = "what it counted is its answer")]

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

fn databases(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            databases(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "sqlite") {
            found.push(path);
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let [folder, table, out] = given.as_slice() else {
        return Err("give a folder, a table and a file to write".into());
    };
    let mut files = Vec::new();
    databases(Path::new(folder), &mut files)?;
    files.sort();
    let mut writer = BufWriter::with_capacity(1 << 20, File::create(out)?);
    let mut rows = 0_u64;
    for file in files {
        let connection = Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_master WHERE name = ?", [table], |row| {
                row.get(0)
            })?;
        if tables == 0 {
            continue;
        }
        let mut statement =
            connection.prepare(&format!("SELECT id, _creationTime, doc FROM \"{table}\" ORDER BY id"))?;
        let mut cursor = statement.query(())?;
        while let Some(row) = cursor.next()? {
            let id = row.get_ref(0)?.as_str()?;
            let time: f64 = row.get(1)?;
            let doc = row.get_ref(2)?.as_str()?;
            let fields = doc.strip_prefix('{').ok_or("a document is no object")?;
            writeln!(
                writer,
                "{{\"table\":\"{table}\",\"doc\":{{\"_id\":\"{id}\",\"_creationTime\":{time},{fields}}}"
            )?;
            rows += 1;
        }
    }
    writer.into_inner()?.sync_all()?;
    println!("{rows}");
    Ok(())
}
