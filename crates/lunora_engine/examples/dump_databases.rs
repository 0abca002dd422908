//! Writes the rows of all objects' databases below a folder as NDJSON, with nothing but SQLite: what `lunora export` is
//! read beside. `cargo run --release -p lunora_engine --example dump_databases -- FOLDER TABLE OUT`
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a tool for developers of the toolchain"
)]

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

fn databases(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            databases(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "sqlite") {
            found.push(path);
        }
    }
}

fn main() {
    let [folder, table, out] = std::env::args().skip(1).collect::<Vec<_>>().try_into().unwrap();
    let mut files = Vec::new();
    databases(Path::new(&folder), &mut files);
    files.sort();
    let mut writer = BufWriter::with_capacity(1 << 20, File::create(out).unwrap());
    let mut rows = 0_u64;
    for file in files {
        let connection = Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let has_table = connection
            .query_row("SELECT count(*) FROM sqlite_master WHERE name = ?", [&table], |row| {
                row.get::<_, i64>(0)
            })
            .unwrap();
        if has_table == 0 {
            continue;
        }
        let mut statement = connection
            .prepare(&format!("SELECT id, _creationTime, doc FROM \"{table}\" ORDER BY id"))
            .unwrap();
        let mut cursor = statement.query(()).unwrap();
        while let Some(row) = cursor.next().unwrap() {
            let id = row.get_ref(0).unwrap().as_str().unwrap();
            let time: f64 = row.get(1).unwrap();
            let doc = row.get_ref(2).unwrap().as_str().unwrap();
            writeln!(
                writer,
                "{{\"table\":\"{table}\",\"doc\":{{\"_id\":\"{id}\",\"_creationTime\":{time},{}}}",
                &doc[1..]
            )
            .unwrap();
            rows += 1;
        }
    }
    writer.into_inner().unwrap().sync_all().unwrap();
    println!("{rows}");
}
