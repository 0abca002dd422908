//! Where an app's data is declared to be, and where its bytes are on this machine.

mod stored_databases;
mod stored_rows;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lunora_config::{FileAction, file_diagnostic};
use lunora_diagnostics::Diagnostic;
use lunora_ir::{Application, ShardMode};
use lunora_workerd::unpinned_key;
use serde::Serialize;

use crate::codegen::CodegenFailure;
use crate::pipeline::{Output, Pipeline};
use crate::settings::discover;
pub use stored_databases::StoredDatabase;
use stored_databases::stored_databases;
use stored_rows::{Weight, tables_of};

/// The state folders that `lunora dev` and `lunora start` use unless they are told otherwise, below the project.
const STATE_FOLDERS: [(&str, &str); 2] = [
    ("development", ".lunora/state"),
    ("production build", ".lunora/production"),
];
/// The class whose objects hold the tables of the app.
const TABLE_CLASS: &str = "ShardDO";
/// The tier of tables in D1.
const GLOBAL: &str = "global";
/// What objects name their copies of global tables by.
const COPY_PREFIX: &str = "__global_";
/// The folder of what no jurisdiction pins.
const UNPINNED: &str = "none";

/// What is asked.
#[derive(Debug, Clone)]
pub struct ResidencyOptions {
    /// A folder in or below the project.
    pub root: PathBuf,
    /// The folder of the schema and functions, below the project.
    pub lunora_directory: Option<String>,
    /// A state folder to look into instead of the usual ones.
    pub state: Option<PathBuf>,
}

/// Bytes of one class of objects in one region of one state folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredObjects {
    /// Whose state: `development`, `production build` or `stated`.
    pub server: String,
    /// The region they lie in; none for what nothing pins.
    pub region: Option<String>,
    /// How many objects have data.
    pub objects: u64,
    /// Their size on disk, journals included.
    pub bytes: u64,
    /// The folder.
    pub folder: PathBuf,
    /// Whether the declaration at hand leads there; else it is left behind.
    pub reachable: bool,
}

/// A class of Durable Objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClassResidency {
    /// Name of the class.
    pub class: String,
    /// The declared region; none when nothing pins it.
    pub region: Option<String>,
    /// Where its bytes are on this machine.
    pub stored: Vec<StoredObjects>,
}

/// Rows of one table in one region of one state folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredRows {
    /// Whose state: `development`, `production build` or `stated`.
    pub server: String,
    /// The region they lie in; none for what nothing pins.
    pub region: Option<String>,
    /// How many objects have rows of it.
    pub objects: u64,
    /// How many rows.
    pub rows: u64,
    /// Bytes of ids, times and documents as they are stored; indexes and free pages count for their objects alone.
    pub bytes: u64,
    /// Whether the declaration at hand leads there; else they are left behind.
    pub reachable: bool,
    /// Rows of a global table that an object keeps for its subscribers.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_copy: bool,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TableResidency {
    /// Its name.
    pub table: String,
    /// `root`, `shardBy`, `colocated` or `global`; `undeclared` for one that only the disk knows.
    pub tier: &'static str,
    /// What holds its rows: a class of objects, or `D1`.
    pub held_by: String,
    /// The declared region of that; none when nothing pins it, as for every global table.
    pub region: Option<String>,
    /// Where objects have its rows on this machine.
    pub stored: Vec<StoredRows>,
}

/// Where data is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResidencyReport {
    /// The project.
    pub root: PathBuf,
    /// What the schema declares.
    pub jurisdiction: Option<String>,
    /// Classes of objects, in the order of their declaration; then those that only disk knows.
    pub classes: Vec<ClassResidency>,
    /// Tables in source order; then those that only the disk knows.
    pub tables: Vec<TableResidency>,
    /// D1 databases on this machine, which hold global tables and what the app itself puts there.
    pub databases: Vec<StoredDatabase>,
    /// Addresses of servers that run on this machine, as far as their state folders say.
    pub servers: Vec<String>,
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Diagnostic> {
    let failed = |error: &std::io::Error| file_diagnostic(FileAction::Read, folder, error);
    let listed = match std::fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(&error)),
    };
    let mut paths = Vec::new();
    for entry in listed {
        paths.push(entry.map_err(|error| failed(&error))?.path());
    }
    paths.sort();
    Ok(paths)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Whether a file is the database of an object: its name is the object's id. The platform keeps one of its own beside.
fn is_object(path: &Path) -> bool {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    path.extension().is_some_and(|extension| extension == "sqlite")
        && stem.len() == 64
        && stem.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What the objects of a folder hold.
#[derive(Default)]
struct Held {
    objects: u64,
    /// Of everything in the folder.
    bytes: u64,
    /// Objects that have rows of it, and these, by table.
    tables: BTreeMap<String, (u64, Weight)>,
}

fn held_in(folder: &Path, has_tables: bool) -> Result<Held, Diagnostic> {
    let mut held = Held::default();
    for path in entries(folder)? {
        // A journal may go away between the listing and the look.
        let Ok(metadata) = std::fs::metadata(&path) else {
            continue;
        };
        if !metadata.is_file() {
            continue;
        }
        held.bytes += metadata.len();
        if !is_object(&path) {
            continue;
        }
        held.objects += 1;
        if !has_tables {
            continue;
        }
        for (name, weight) in tables_of(&path)? {
            let (objects, total) = held.tables.entry(name).or_default();
            *objects += u64::from(weight.rows > 0);
            total.rows += weight.rows;
            total.bytes += weight.bytes;
        }
    }
    Ok(held)
}

/// What was found of one class in one region.
struct FoundClass {
    name: String,
    stored: StoredObjects,
    tables: Vec<(String, StoredRows)>,
}

/// What a state folder holds, by class: `<region>/do/<class>-<region>/<object>.sqlite`, and `none/do/<class>/…`.
fn stored_in(server: &str, state: &Path, jurisdiction: Option<&str>) -> Result<Vec<FoundClass>, Diagnostic> {
    let mut found = Vec::new();
    for region in entries(state)?.into_iter().filter(|path| path.join("do").is_dir()) {
        let name = name_of(&region);
        let declared = (name != UNPINNED).then_some(name);
        for class in entries(&region.join("do"))?.into_iter().filter(|path| path.is_dir()) {
            // A class has another key in each region.
            let name = unpinned_key(&name_of(&class), declared.as_deref()).to_owned();
            let held = held_in(&class, name == TABLE_CLASS)?;
            if held.objects == 0 {
                continue;
            }
            let reachable = declared.as_deref() == jurisdiction;
            let tables = held.tables.into_iter().map(|(table, (objects, weight))| {
                let copied = table.strip_prefix(COPY_PREFIX).map(str::to_owned);
                let rows = StoredRows {
                    is_copy: copied.is_some(),
                    server: server.to_owned(),
                    region: declared.clone(),
                    objects,
                    rows: weight.rows,
                    bytes: weight.bytes,
                    reachable,
                };
                (copied.unwrap_or(table), rows)
            });
            found.push(FoundClass {
                name,
                tables: tables.filter(|(_, stored)| stored.rows > 0).collect(),
                stored: StoredObjects {
                    server: server.to_owned(),
                    region: declared.clone(),
                    objects: held.objects,
                    bytes: held.bytes,
                    folder: class.clone(),
                    reachable,
                },
            });
        }
    }
    Ok(found)
}

fn table(name: &str, mode: &ShardMode, jurisdiction: Option<&str>) -> TableResidency {
    let (tier, is_global) = match mode {
        ShardMode::Root => ("root", false),
        ShardMode::ShardBy { .. } => ("shardBy", false),
        ShardMode::Colocated => ("colocated", false),
        ShardMode::Global => (GLOBAL, true),
    };
    TableResidency {
        table: name.to_owned(),
        tier,
        held_by: if is_global { "D1" } else { TABLE_CLASS }.to_owned(),
        region: jurisdiction.filter(|_| !is_global).map(str::to_owned),
        stored: Vec::new(),
    }
}

fn report(application: &Application, root: &Path, states: &[(String, PathBuf)]) -> Result<ResidencyReport, Diagnostic> {
    let jurisdiction = application.jurisdiction.as_deref();
    let class = |name: &str| ClassResidency {
        class: name.to_owned(),
        region: jurisdiction.map(str::to_owned),
        stored: Vec::new(),
    };
    let mut classes: Vec<ClassResidency> = application
        .object_classes()
        .iter()
        .map(|one| class(one.class_name))
        .collect();
    let mut tables: Vec<TableResidency> = application
        .tables
        .iter()
        .map(|(name, one)| table(name, &one.shard_mode, jurisdiction))
        .collect();
    let mut databases = Vec::new();
    for (server, state) in states {
        databases.extend(stored_databases(server, state)?);
        for found in stored_in(server, state, jurisdiction)? {
            for (name, mut stored) in found.tables {
                match tables.iter_mut().find(|one| one.table == name) {
                    Some(known) => {
                        // What an object had before the table became global is looked at by nobody.
                        stored.reachable &= stored.is_copy || known.tier != GLOBAL;
                        known.stored.push(stored);
                    }
                    None => tables.push(TableResidency {
                        table: name,
                        tier: "undeclared",
                        held_by: found.name.clone(),
                        region: None,
                        stored: vec![stored],
                    }),
                }
            }
            match classes.iter_mut().find(|one| one.class == found.name) {
                Some(known) => known.stored.push(found.stored),
                None => classes.push(ClassResidency {
                    stored: vec![found.stored],
                    ..class(&found.name)
                }),
            }
        }
    }
    Ok(ResidencyReport {
        root: root.to_path_buf(),
        jurisdiction: application.jurisdiction.clone(),
        classes,
        tables,
        databases,
        servers: states
            .iter()
            .filter_map(|(_, state)| lunora_workerd::running_url(state))
            .collect(),
    })
}

/// Reads the declaration and looks at the state folders. Writes nothing.
///
/// # Errors
/// Every error in the sources, or a folder that cannot be read.
pub fn residency(options: &ResidencyOptions) -> Result<ResidencyReport, Box<CodegenFailure>> {
    let boxed = |error: Diagnostic| Box::new(CodegenFailure::from(error));
    let project = discover(&options.root, options.lunora_directory.as_deref()).map_err(boxed)?;
    let root = project.root.as_std_path().to_path_buf();
    let mut pipeline = Pipeline::open(project, Output::Codegen, &[]).map_err(boxed)?;
    let outcome = pipeline.rehearse();
    let (application, _, _) = match outcome {
        Ok(outcome) => outcome,
        Err(diagnostics) => {
            let sources = pipeline.sources().named_by(&diagnostics);
            return Err(Box::new(CodegenFailure { diagnostics, sources }));
        }
    };
    let states = match &options.state {
        Some(state) => vec![("stated".to_owned(), state.clone())],
        None => STATE_FOLDERS
            .map(|(server, folder)| (server.to_owned(), root.join(folder)))
            .to_vec(),
    };
    report(&application, &root, &states).map_err(boxed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use lunora_testing::TempProject;

    use super::*;

    #[test]
    fn objects_are_found_by_region_and_class() {
        let project = TempProject::new([
            ("state/none/do/ShardDO/metadata.sqlite", "1"),
            ("state/eu/do/SessionDO-eu/metadata.sqlite", "1"),
            ("state/lock", "not JSON"),
            ("state/us/other", ""),
        ]);
        let database = |file: &str, rows: usize| {
            let path = project.path(&format!("state/{file}.sqlite"));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let connection = rusqlite::Connection::open(path).unwrap();
            connection
                .execute_batch(
                    "CREATE TABLE notes(id TEXT, doc TEXT); CREATE TABLE other(id TEXT, doc TEXT); CREATE TABLE __own(x); CREATE TABLE __global_condition(key TEXT);
                    CREATE TABLE __global_settings(id TEXT, doc TEXT)",
                )
                .unwrap();
            for _ in 0..rows {
                connection.execute("INSERT INTO notes VALUES('i', '{}')", ()).unwrap();
            }
            let copies = if rows > 1 {
                "INSERT INTO __global_settings VALUES('i', '{}')"
            } else {
                ""
            };
            connection.execute_batch(copies).unwrap();
        };
        project.write(&format!("state/eu/do/SessionDO-eu/{}.sqlite", "d".repeat(64)), "1");
        database(&format!("none/do/ShardDO/{}", "a".repeat(64)), 1);
        database(&format!("eu/do/ShardDO-eu/{}", "b".repeat(64)), 2);
        database(&format!("eu/do/ShardDO-eu/{}", "c".repeat(64)), 0);
        project.write(&format!("state/none/do/ShardDO/{}.sqlite-other", "a".repeat(64)), "123");
        let found = stored_in("stated", &project.path("state"), Some("eu")).unwrap();
        let shown: Vec<_> = found
            .iter()
            .map(|FoundClass { name, stored, tables }| {
                let rows: Vec<_> = tables
                    .iter()
                    .map(|(table, one)| (table.as_str(), one.is_copy, one.objects, one.rows, one.bytes))
                    .collect();
                let place = (stored.region.as_deref(), stored.objects, stored.reachable);
                (name.as_str(), place, rows)
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("SessionDO", (Some("eu"), 1, true), vec![]),
                (
                    "ShardDO",
                    (Some("eu"), 2, true),
                    vec![("settings", true, 1, 1, 11), ("notes", false, 1, 2, 22)]
                ),
                ("ShardDO", (None, 1, false), vec![("notes", false, 1, 1, 11)]),
            ]
        );
        // Everything in the folder, journals and the platform's own file too.
        assert_eq!(found[2].stored.bytes, 1 + 3 + 6 * 4_096);
        assert!(stored_in("stated", &project.path("nowhere"), None).unwrap().is_empty());
    }
}
