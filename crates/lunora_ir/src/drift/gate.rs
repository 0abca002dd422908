//! Whether a deployment may go on.

use serde::Serialize;

use super::change::{Change, ChangeKind};
use super::diff::diff;
use super::snapshot::Snapshot;
use crate::Migration;

/// A change, and what makes it right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DriftEntry {
    /// The change.
    #[serde(flatten)]
    pub change: Change,
    /// Whether stored data does not survive it as it is.
    pub breaking: bool,
    /// New migrations that transform the table's documents, where that can make it right.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub covered_by: Vec<String>,
}

impl DriftEntry {
    /// Whether it stops a deployment.
    #[must_use]
    pub fn blocks(&self) -> bool {
        self.breaking && self.covered_by.is_empty()
    }
}

/// Everything that changed since the baseline.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Drift {
    /// Each change, those of the whole schema first, then by table.
    pub changes: Vec<DriftEntry>,
}

impl Drift {
    /// Compares. `migrations` are those of the app; only those that the baseline does not know can cover a change,
    /// because the others have run already.
    #[must_use]
    pub fn between(baseline: &Snapshot, current: &Snapshot, migrations: &[Migration]) -> Self {
        let fresh: Vec<&Migration> = migrations
            .iter()
            .filter(|migration| !baseline.migration_ids.contains(&migration.id))
            .collect();
        let entry = |change: Change| {
            let covered_by = if change.kind.is_migratable() {
                fresh
                    .iter()
                    .filter(|migration| Some(&migration.table) == change.table.as_ref())
                    .map(|migration| migration.id.clone())
                    .collect()
            } else {
                Vec::new()
            };
            DriftEntry {
                breaking: change.kind.is_breaking(),
                covered_by,
                change,
            }
        };
        Self {
            changes: diff(baseline, current).into_iter().map(entry).collect(),
        }
    }

    /// What stops a deployment.
    pub fn blocking(&self) -> impl Iterator<Item = &DriftEntry> {
        self.changes.iter().filter(|entry| entry.blocks())
    }

    /// The change of the jurisdiction, when there is one.
    #[must_use]
    pub fn jurisdiction(&self) -> Option<&Change> {
        self.changes
            .iter()
            .map(|entry| &entry.change)
            .find(|change| change.kind == ChangeKind::ChangedJurisdiction)
    }
}
