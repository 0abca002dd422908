//! What an app needs of its wrangler configuration.

/// A Durable Object class, stored in SQLite, and the name it is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedObject {
    /// Name in `env`, for example `SHARD`.
    pub binding: String,
    /// Name of the exported class, for example `ShardDO`.
    pub class_name: String,
}

/// A D1 database and the name it is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedDatabase {
    /// Name in `env`, for example `DB`.
    pub binding: String,
    /// Its name at the platform, used only where none is given; that of an environment has the environment's behind it.
    pub name: String,
}

/// What an app needs of its wrangler configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Name of the Worker, used only where none is given.
    pub name: Option<String>,
    /// Entry, relative to the configuration; another one that is given stays, with a warning.
    pub main: Option<String>,
    /// `YYYY-MM-DD`, used only where none is given: a date decides how the app's own code runs.
    pub compatibility_date: String,
    /// `YYYY-MM-DD`: an older date that is given is raised to this, because the worker cannot run below it.
    pub minimum_compatibility_date: String,
    /// Flags that have to be on.
    pub compatibility_flags: Vec<String>,
    /// Folder of the built client, relative to the configuration; used only where no `assets` are given.
    pub client_directory: Option<String>,
    /// Cron expressions that the worker answers to.
    pub crons: Vec<String>,
    /// Durable Object bindings; their classes are created by migrations.
    pub durable_objects: Vec<WantedObject>,
    /// D1 databases. One that is bound already is left as it is.
    pub databases: Vec<WantedDatabase>,
}

impl Wanted {
    /// The value of `assets` for the client: pages of the client's own router are answered with its start
    /// page, and what belongs to the worker goes to the worker.
    pub(super) fn assets(&self) -> Option<serde_json::Value> {
        let directory = self.client_directory.as_ref()?;
        Some(serde_json::json!({
            "directory": directory,
            "not_found_handling": "single-page-application",
            "run_worker_first": ["/_lunora/*", "/api/*"],
        }))
    }
}
