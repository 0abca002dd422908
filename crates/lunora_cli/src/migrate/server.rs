//! What is asked of the admin routes, and what they answer.

use std::collections::BTreeMap;

use lunora_client::{AdminClient, ClientError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

/// Failures that are kept to be shown; the others are counted.
const FAILURES: usize = 20;

/// Which way rows are transformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Direction {
    Up,
    Down,
}

/// In how many shards a migration has come how far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    pub pending: u64,
    pub partial: u64,
    pub applied: u64,
    pub failed: u64,
}

impl Counts {
    /// Shards in which something is left to do.
    pub(super) fn unfinished(self) -> u64 {
        self.pending + self.partial + self.failed
    }

    /// Shards in which something was done.
    pub(super) fn begun(self) -> u64 {
        self.partial + self.applied + self.failed
    }

    fn add(&mut self, other: Self) {
        self.pending += other.pending;
        self.partial += other.partial;
        self.applied += other.applied;
        self.failed += other.failed;
    }
}

/// A migration of the deployed app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MigrationStatus {
    pub id: String,
    pub table: String,
    pub has_down: bool,
    pub is_global: bool,
    #[serde(default, flatten, skip_deserializing)]
    pub counts: Counts,
}

/// Why a shard stopped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShardFailure {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migration: Option<String>,
    pub shard: String,
    pub code: String,
    pub message: String,
    /// The row, where one was the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The row's, epoch milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creation_time: Option<f64>,
}

/// How far all migrations have come.
#[derive(Debug, Serialize)]
pub(super) struct Status {
    pub shards: u64,
    pub migrations: Vec<MigrationStatus>,
    pub failures: Vec<ShardFailure>,
}

#[derive(Deserialize)]
struct StatusPage {
    cursor: Option<String>,
    shards: u64,
    migrations: Vec<MigrationStatus>,
    counts: BTreeMap<String, Counts>,
    failures: Vec<ShardFailure>,
}

/// What a migration did.
#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub(super) struct RunTotal {
    pub shards: u64,
    /// Rows that the transform was shown.
    pub rows: u64,
    pub changed: u64,
    /// Shards that stopped.
    pub failed: u64,
    /// Why, of the first of them.
    pub failures: Vec<ShardFailure>,
}

#[derive(Deserialize)]
struct RunPage {
    cursor: Option<String>,
    shards: u64,
    rows: u64,
    changed: u64,
    failed: u64,
    failures: Vec<ShardFailure>,
}

fn read<Value: DeserializeOwned>(json: Json) -> Result<Value, ClientError> {
    serde_json::from_value(json).map_err(|error| ClientError::Answer(error.to_string()))
}

fn keep(kept: &mut Vec<ShardFailure>, more: Vec<ShardFailure>) {
    let room = FAILURES.saturating_sub(kept.len());
    kept.extend(more.into_iter().take(room));
}

/// Asks every shard, page by page.
pub(super) async fn status(client: &mut AdminClient) -> Result<Status, ClientError> {
    let mut status = Status {
        shards: 0,
        migrations: Vec::new(),
        failures: Vec::new(),
    };
    let mut cursor = None;
    loop {
        let page: StatusPage = read(client.post("migrate/status", &json!({ "cursor": cursor })).await?)?;
        status.shards += page.shards;
        status.migrations.extend(page.migrations);
        keep(&mut status.failures, page.failures);
        for migration in &mut status.migrations {
            migration
                .counts
                .add(page.counts.get(&migration.id).copied().unwrap_or_default());
        }
        cursor = page.cursor;
        if cursor.is_none() {
            return Ok(status);
        }
    }
}

/// A run of migrations as the server knows it.
pub(super) struct Run<'run> {
    /// Tells it from those of others.
    pub name: &'run str,
    pub direction: Direction,
    pub batch_size: Option<u32>,
    pub dry_run: bool,
}

impl Run<'_> {
    /// Runs one migration in every shard. `moved` is told rows and shards so far.
    pub(super) async fn migration(
        &self,
        client: &mut AdminClient,
        id: &str,
        mut moved: impl FnMut(u64, u64),
    ) -> Result<RunTotal, ClientError> {
        let mut total = RunTotal::default();
        let mut cursor: Option<String> = None;
        loop {
            let mut body = json!({
                "run": self.name, "id": id, "direction": self.direction, "cursor": cursor, "dryRun": self.dry_run,
            });
            if let (Some(size), Some(fields)) = (self.batch_size, body.as_object_mut()) {
                fields.insert("batchSize".to_owned(), size.into());
            }
            let page: RunPage = read(client.post("migrate", &body).await?)?;
            total.shards += page.shards;
            total.rows += page.rows;
            total.changed += page.changed;
            total.failed += page.failed;
            keep(&mut total.failures, page.failures);
            moved(total.rows, total.shards);
            cursor = page.cursor;
            if cursor.is_none() {
                return Ok(total);
            }
        }
    }

    /// Lets the next run begin.
    pub(super) async fn end(&self, client: &mut AdminClient) -> Result<(), ClientError> {
        client.post("migrate/end", &json!({ "run": self.name })).await?;
        Ok(())
    }
}
