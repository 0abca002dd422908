//! Tables and what is declared on them.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::Column;

/// Which tier a table lives in and how it is addressed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum ShardMode {
    /// The `__root__` shard.
    Root,
    /// `.shardBy(field)`: one shard for each value of the field.
    ShardBy {
        /// The field whose value names the shard.
        field: String,
    },
    /// `.colocated()`: the shard of whatever function touches it.
    Colocated,
    /// `.global()`: D1.
    Global,
}

/// A declared index, or one implied by a unique column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Fields in order; `_creationTime` is allowed.
    pub fields: Vec<String>,
    /// Whether two rows may not share the same values.
    pub unique: bool,
}

/// Which way a relation points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RelationKind {
    /// `r.one(table, { field })`: this table holds the foreign key.
    One,
    /// `r.many(table, { field })`: the other table holds it.
    Many,
}

/// What happens to a row when the row it points at is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnDelete {
    /// The pointing row is deleted too.
    #[serde(rename = "cascade")]
    Cascade,
    /// The delete is refused.
    #[serde(rename = "restrict")]
    Restrict,
    /// The pointing field becomes `null`.
    #[serde(rename = "set null")]
    SetNull,
}

/// A relation between two tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Relation {
    /// Which side holds the foreign key.
    pub kind: RelationKind,
    /// The other table.
    pub table: String,
    /// The field that holds the foreign key: of this table for `One`, of the other for `Many`.
    pub field: String,
    /// The field pointed at; `_id` unless stated.
    pub references: String,
    /// Only on `One`.
    pub on_delete: Option<OnDelete>,
}

/// Before or after the write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TriggerTiming {
    /// May change or refuse the row.
    Before,
    /// Sees the written row.
    After,
}

/// The write a trigger runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TriggerEvent {
    /// A new row.
    Insert,
    /// A changed row.
    Update,
    /// A removed row.
    Delete,
}

/// A trigger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trigger {
    /// Before or after.
    pub timing: TriggerTiming,
    /// Which write.
    pub event: TriggerEvent,
}

/// `.softDelete({ field })`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SoftDelete {
    /// The field that holds the time of deletion, epoch milliseconds.
    pub field: String,
}

/// `.ttl(field, { after })`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TimeToLive {
    /// The field that holds the starting time, epoch milliseconds.
    pub field: String,
    /// Milliseconds after that time; zero when left out.
    pub after: f64,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Table {
    /// Columns in source order, without `_id` and `_creationTime`.
    pub columns: IndexMap<String, Column>,
    /// Tier and address.
    pub shard_mode: ShardMode,
    /// Declared indexes by name, in source order.
    pub indexes: IndexMap<String, Index>,
    /// Declared relations by name.
    pub relations: IndexMap<String, Relation>,
    /// Declared triggers by name.
    pub triggers: IndexMap<String, Trigger>,
    /// Whether rows are marked instead of removed.
    pub soft_delete: Option<SoftDelete>,
    /// Whether rows expire.
    pub time_to_live: Option<TimeToLive>,
    /// `.public()`: exempt from `.rls("required")`.
    pub is_public: bool,
    /// The file the table is declared in, project-relative with `/`.
    pub file: String,
}
