//! The part of a schema that stored data depends on.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::kind_text::kind_text;
use crate::{Application, Index, OnDelete, Relation, RelationKind, ShardMode, Table};

/// The only version there is.
const VERSION: u32 = 1;

/// What a text that is no snapshot has wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct SnapshotParseError {
    /// For people.
    pub message: String,
    /// Line, from 1; 0 when the whole text is meant.
    pub line: usize,
    /// Column in bytes, from 1; 0 when the whole text is meant.
    pub column: usize,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FieldSnapshot {
    /// What a stored value is, as canonical text: `string`, `array(id("users"))`.
    pub kind: String,
    /// Whether it may be left out.
    pub optional: bool,
}

fn primary_key() -> String {
    "_id".to_owned()
}

fn is_primary_key(field: &str) -> bool {
    field == "_id"
}

/// A relation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RelationSnapshot {
    /// The field that holds the foreign key.
    pub field: String,
    /// Which side holds it.
    pub kind: RelationKind,
    /// What happens when the row pointed at goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_delete: Option<OnDelete>,
    /// The field pointed at; left out when it is `_id`.
    #[serde(default = "primary_key", skip_serializing_if = "is_primary_key")]
    pub references: String,
    /// The other table.
    pub table: String,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TableSnapshot {
    /// Columns by name.
    pub fields: BTreeMap<String, FieldSnapshot>,
    /// Indexes by name, those of unique columns included.
    pub indexes: BTreeMap<String, Index>,
    /// Relations by name.
    pub relations: BTreeMap<String, RelationSnapshot>,
    /// `root`, `colocated`, `global` or `shardBy:<field>`.
    pub shard_mode: String,
}

impl TableSnapshot {
    /// Whether the rows are in Durable Objects, which a jurisdiction moves.
    #[must_use]
    pub fn is_in_objects(&self) -> bool {
        self.shard_mode != "global"
    }
}

/// A schema as stored data sees it. Fields are in the order of their names, so that the text has its keys sorted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Snapshot {
    /// Where Durable Objects live; left out when they are not pinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jurisdiction: Option<String>,
    /// Data migrations that exist, sorted.
    pub migration_ids: BTreeSet<String>,
    /// Regions of global tables, sorted; left out when there is only one database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regions: Option<BTreeSet<String>>,
    /// Tables by name.
    pub tables: BTreeMap<String, TableSnapshot>,
    version: u32,
}

fn shard_mode_text(mode: &ShardMode) -> String {
    match mode {
        ShardMode::Root => "root".to_owned(),
        ShardMode::Colocated => "colocated".to_owned(),
        ShardMode::Global => "global".to_owned(),
        ShardMode::ShardBy { field } => format!("shardBy:{field}"),
    }
}

fn relation(relation: &Relation) -> RelationSnapshot {
    RelationSnapshot {
        field: relation.field.clone(),
        kind: relation.kind,
        on_delete: relation.on_delete,
        references: relation.references.clone(),
        table: relation.table.clone(),
    }
}

fn table(table: &Table) -> TableSnapshot {
    TableSnapshot {
        fields: table
            .columns
            .iter()
            .map(|(name, column)| {
                let field = FieldSnapshot {
                    kind: kind_text(&column.validator),
                    optional: column.validator.is_optional(),
                };
                (name.clone(), field)
            })
            .collect(),
        indexes: table
            .indexes
            .iter()
            .map(|(name, index)| (name.clone(), index.clone()))
            .collect(),
        relations: table
            .relations
            .iter()
            .map(|(name, one)| (name.clone(), relation(one)))
            .collect(),
        shard_mode: shard_mode_text(&table.shard_mode),
    }
}

impl Default for Snapshot {
    fn default() -> Self {
        Self {
            jurisdiction: None,
            migration_ids: BTreeSet::new(),
            regions: None,
            tables: BTreeMap::new(),
            version: VERSION,
        }
    }
}

impl Snapshot {
    /// The snapshot of an app whose databases are in `regions`. An app without global tables has none.
    #[must_use]
    pub fn of(application: &Application, regions: &BTreeSet<String>) -> Self {
        let has_regions = !regions.is_empty()
            && application
                .tables
                .values()
                .any(|table| table.shard_mode == ShardMode::Global);
        Self {
            regions: has_regions.then(|| regions.clone()),
            jurisdiction: application.jurisdiction.clone(),
            migration_ids: application
                .migrations
                .iter()
                .map(|migration| migration.id.clone())
                .collect(),
            tables: application
                .tables
                .iter()
                .map(|(name, one)| (name.clone(), table(one)))
                .collect(),
            ..Self::default()
        }
    }

    /// A fingerprint of columns and tiers: two schemas with the same one hold the same rows. Indexes, relations and
    /// regions are none of it.
    #[must_use]
    pub fn schema_version(&self) -> String {
        let mut hash = blake3::Hasher::new();
        // Lengths stand before texts, so that no two schemas are the same bytes.
        let mut add = |text: &str| {
            hash.update(&(text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        };
        for (name, table) in &self.tables {
            add(name);
            add(&table.shard_mode);
            add(&table.fields.len().to_string());
            for (field, FieldSnapshot { kind, optional }) in &table.fields {
                add(field);
                add(kind);
                add(if *optional { "optional" } else { "required" });
            }
        }
        hash.finalize().to_hex()[..16].to_owned()
    }

    /// The text of the baseline: keys sorted, two spaces, a newline at the end.
    ///
    /// # Errors
    /// Never for a snapshot that was made here; the encoder's type says it could.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// Reads a baseline, whatever the order of its keys.
    ///
    /// # Errors
    /// When the text is no JSON, has another version, or lacks or adds a part.
    pub fn parse(text: &str) -> Result<Self, SnapshotParseError> {
        let snapshot: Self = serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let message = error.to_string();
            // The place is told beside the text.
            let place = format!(" at line {line} column {column}");
            SnapshotParseError {
                message: message.strip_suffix(&place).unwrap_or(&message).to_owned(),
                line,
                column,
            }
        })?;
        if snapshot.version == VERSION {
            return Ok(snapshot);
        }
        Err(SnapshotParseError {
            message: format!(
                "its version is {}, and this toolchain reads version {VERSION}",
                snapshot.version
            ),
            line: 0,
            column: 0,
        })
    }

    /// Names of the tables whose rows are in Durable Objects, sorted.
    #[must_use]
    pub fn tables_in_objects(&self) -> Vec<&str> {
        self.tables
            .iter()
            .filter(|(_, table)| table.is_in_objects())
            .map(|(name, _)| name.as_str())
            .collect()
    }
}
