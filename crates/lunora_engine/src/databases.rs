//! D1 beside the worker: a database in a file for each one that the app is bound to.

use std::path::{Path, PathBuf};

use lunora_config::{D1Database, is_database_id};
use lunora_d1::{D1Options, D1Server, DATABASE_HEADER, is_database_name};
use lunora_diagnostics::{Diagnostic, codes};
use lunora_ir::Application;
use lunora_workerd::{D1, D1Binding};
use tokio::sync::OnceCell;

use crate::worker::WorkerSettings;

/// Where global tables are looked for in `env`.
pub(crate) const GLOBAL_BINDING: &str = "DB";

/// The folder of the databases below a state folder, `<binding>.sqlite` each.
pub(crate) fn folder_of(state: &Path) -> PathBuf {
    // No jurisdiction, which are the other folders there, has a digit in its name.
    state.join("d1")
}

/// The databases of one state folder, which is locked. An app that has none has no server.
pub(crate) struct Databases {
    folder: PathBuf,
    server: OnceCell<D1Server>,
}

impl Databases {
    pub(crate) fn below(state: &Path) -> Self {
        Self {
            folder: folder_of(state),
            server: OnceCell::new(),
        }
    }

    /// What the worker is given; starts the server when it is first needed.
    ///
    /// # Errors
    /// When a binding's name can be no database's, or the server cannot start.
    pub(crate) async fn serve(
        &self,
        application: &Application,
        settings: &WorkerSettings,
    ) -> Result<Option<D1>, Vec<Diagnostic>> {
        let bindings = bindings(application, &settings.databases)?;
        if bindings.is_empty() {
            return Ok(None);
        }
        let start = || D1Server::start(D1Options::new(&self.folder));
        let server = self.server.get_or_try_init(start).await.map_err(|error| vec![error])?;
        Ok(Some(D1 {
            socket: server.socket().to_path_buf(),
            header: DATABASE_HEADER.to_owned(),
            bindings,
        }))
    }

    /// Lets what is under way end, and closes the files. After the worker, which nothing then answers.
    pub(crate) async fn close(&self) {
        if let Some(server) = self.server.get() {
            server.close().await;
        }
    }
}

/// Whether two entries are one database at the platform. A name alone counts where one of them has no id yet.
fn are_one(one: &D1Database, other: &D1Database) -> bool {
    let id = |database: &D1Database| database.id.clone().filter(|id| is_database_id(id));
    match (id(one), id(other)) {
        (Some(one), Some(other)) => one.eq_ignore_ascii_case(&other),
        _ => one.name.is_some() && one.name == other.name,
    }
}

/// A database for each binding of the configuration, and the one of global tables, which the configuration may be yet to
/// get. They go by bindings here and not by the platform's names, which are yet to come too, so that rows are still there
/// when they have.
fn bindings(application: &Application, databases: &[D1Database]) -> Result<Vec<D1Binding>, Vec<Diagnostic>> {
    let mut bindings = Vec::new();
    for database in databases {
        let first = databases.iter().find(|first| are_one(first, database));
        bindings.push(D1Binding {
            name: database.binding.clone(),
            database: first.unwrap_or(database).binding.clone(),
        });
    }
    if application.has_global_tables() && !databases.iter().any(|one| one.binding == GLOBAL_BINDING) {
        bindings.push(D1Binding {
            name: GLOBAL_BINDING.to_owned(),
            database: GLOBAL_BINDING.to_owned(),
        });
    }
    let refused: Vec<Diagnostic> = bindings
        .iter()
        .filter(|binding| !is_database_name(&binding.database))
        .map(|binding| {
            let message = format!(
                "`{}` of `d1_databases` cannot be the name of a database on this machine",
                binding.database
            );
            Diagnostic::error(codes::WRANGLER_SHAPE, message)
                .with_help("Bind it by a name of 1 to 64 letters, digits, `_` and `-`.")
        })
        .collect();
    if refused.is_empty() { Ok(bindings) } else { Err(refused) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use std::sync::Arc;

    use lunora_ir::{ShardMode, Table};

    use super::*;

    const ID: &str = "9f4e1c2a-0b5d-4e6f-8a7b-1c2d3e4f5a6b";
    const OTHER_ID: &str = "8f4e1c2a-0b5d-4e6f-8a7b-1c2d3e4f5a6b";

    fn application(mode: ShardMode) -> Application {
        let mut application = Application::default();
        let table = Table {
            shard_mode: mode,
            ..serde_json::from_value::<Table>(serde_json::json!({
                "columns": {}, "indexes": {}, "relations": {}, "triggers": {}, "shardMode": { "kind": "root" },
                "softDelete": null, "timeToLive": null, "isPublic": false, "file": "lunora/schema.ts",
            }))
            .unwrap()
        };
        application.tables.insert("settings".to_owned(), Arc::new(table));
        application
    }

    fn database(binding: &str, name: Option<&str>, id: Option<&str>) -> D1Database {
        D1Database {
            binding: binding.to_owned(),
            name: name.map(str::to_owned),
            id: id.map(str::to_owned),
        }
    }

    fn bound(mode: ShardMode, databases: &[D1Database]) -> Vec<(String, String)> {
        let bindings = bindings(&application(mode), databases).unwrap();
        bindings
            .into_iter()
            .map(|D1Binding { name, database }| (name, database))
            .collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected
            .iter()
            .map(|(name, database)| ((*name).to_owned(), (*database).to_owned()))
            .collect()
    }

    #[test]
    fn global_tables_have_a_database_before_the_configuration_says_so() {
        assert_eq!(bound(ShardMode::Global, &[]), pairs(&[("DB", "DB")]));
        assert_eq!(bound(ShardMode::Root, &[]), pairs(&[]));
        let stated = [database("DB", Some("app"), Some("placeholder"))];
        assert_eq!(bound(ShardMode::Global, &stated), pairs(&[("DB", "DB")]));
    }

    #[test]
    fn every_binding_has_a_database_and_regions_have_their_own() {
        let databases = [
            database("DB_EU", Some("app-eu"), Some("placeholder")),
            database("DB_US", Some("app-us"), Some("placeholder")),
            database("LEGACY", None, None),
        ];
        assert_eq!(
            bound(ShardMode::Global, &databases),
            pairs(&[
                ("DB_EU", "DB_EU"),
                ("DB_US", "DB_US"),
                ("LEGACY", "LEGACY"),
                ("DB", "DB")
            ])
        );
    }

    #[test]
    fn bindings_of_one_database_share_it() {
        let databases = [
            database("DB", Some("app"), Some(ID)),
            database("AGAIN", Some("called otherwise"), Some(&ID.to_uppercase())),
            database("OTHER", Some("app"), Some(OTHER_ID)),
            database("YET", Some("new"), Some("placeholder")),
            database("YET_TOO", Some("new"), None),
            database("UNNAMED", None, None),
            database("UNNAMED_TOO", None, None),
        ];
        assert_eq!(
            bound(ShardMode::Root, &databases),
            pairs(&[
                ("DB", "DB"),
                ("AGAIN", "DB"),
                ("OTHER", "OTHER"),
                ("YET", "YET"),
                ("YET_TOO", "YET"),
                ("UNNAMED", "UNNAMED"),
                ("UNNAMED_TOO", "UNNAMED_TOO"),
            ])
        );
    }

    #[test]
    fn a_name_that_can_be_no_file_is_refused() {
        for name in ["", "a/b", "$db", ".."] {
            let refused = bindings(&application(ShardMode::Root), &[database(name, None, None)]).unwrap_err();
            assert_eq!(refused[0].code, codes::WRANGLER_SHAPE, "{name}");
        }
    }
}
