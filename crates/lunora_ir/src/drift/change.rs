//! One difference between two snapshots.

use serde::Serialize;

/// What kind of difference. The first group is safe for stored data, the second is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ChangeKind {
    /// A new table.
    AddedTable,
    /// A new field that may be left out.
    AddedOptionalField,
    /// A field may be left out now.
    FieldRequiredToOptional,
    /// A field takes more values than before, and all that it took.
    WidenedFieldKind,
    /// A new index.
    AddedIndex,
    /// A new relation.
    AddedRelation,
    /// A table is gone.
    RemovedTable,
    /// A field is gone.
    RemovedField,
    /// A field takes other values.
    ChangedFieldKind,
    /// A field may no longer be left out.
    FieldOptionalToRequired,
    /// A new field that stored rows lack.
    AddedRequiredField,
    /// An index has other fields or another uniqueness.
    ChangedIndex,
    /// An index is gone.
    RemovedIndex,
    /// A relation is gone.
    RemovedRelation,
    /// A relation has another target, field, side or behaviour on delete.
    ChangedRelation,
    /// A table lives in another tier or is sharded by another field.
    ChangedShardMode,
    /// Durable Objects live in another jurisdiction.
    ChangedJurisdiction,
    /// Global tables live in other regions.
    ChangedRegions,
}

impl ChangeKind {
    /// Whether stored data does not survive it as it is.
    #[must_use]
    pub const fn is_breaking(self) -> bool {
        !matches!(
            self,
            Self::AddedTable
                | Self::AddedOptionalField
                | Self::FieldRequiredToOptional
                | Self::WidenedFieldKind
                | Self::AddedIndex
                | Self::AddedRelation
        )
    }

    /// Whether a transform of each document makes it right.
    #[must_use]
    pub const fn is_migratable(self) -> bool {
        matches!(
            self,
            Self::RemovedField | Self::ChangedFieldKind | Self::FieldOptionalToRequired | Self::AddedRequiredField
        )
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// The table; none for what concerns all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// What kind of difference.
    pub kind: ChangeKind,
    /// The field, index or relation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

fn or_none(value: Option<&str>) -> &str {
    value.unwrap_or("(none)")
}

impl Change {
    /// What was found and, for a breaking change, why it is wrong: one sentence or two.
    #[must_use]
    pub fn message(&self) -> String {
        let table = self.table.as_deref().unwrap_or_default();
        let name = self.name.as_deref().unwrap_or_default();
        let before = or_none(self.before.as_deref());
        let after = or_none(self.after.as_deref());
        match self.kind {
            ChangeKind::AddedTable => format!("the table `{table}` is new"),
            ChangeKind::AddedOptionalField => format!("the field `{table}.{name}` is new and may be left out"),
            ChangeKind::FieldRequiredToOptional => format!("the field `{table}.{name}` may be left out now"),
            ChangeKind::WidenedFieldKind => {
                format!("the field `{table}.{name}` takes `{after}` now and took `{before}`, which is part of it")
            }
            ChangeKind::AddedIndex => format!("the index `{name}` of `{table}` is new"),
            ChangeKind::AddedRelation => format!("the relation `{name}` of `{table}` is new"),
            ChangeKind::RemovedTable => {
                format!("the table `{table}` is gone; its stored rows stay behind and no function can read them")
            }
            ChangeKind::RemovedField => {
                format!("the field `{table}.{name}` is gone; stored rows still have it")
            }
            ChangeKind::ChangedFieldKind => format!(
                "the field `{table}.{name}` changed from `{before}` to `{after}`; stored rows still hold the old kind"
            ),
            ChangeKind::FieldOptionalToRequired => {
                format!("the field `{table}.{name}` may no longer be left out; stored rows may lack it")
            }
            ChangeKind::AddedRequiredField => {
                format!("the field `{table}.{name}` is new and may not be left out; stored rows lack it")
            }
            ChangeKind::ChangedIndex => format!("the index `{name}` of `{table}` changed from {before} to {after}"),
            ChangeKind::RemovedIndex => {
                format!("the index `{name}` of `{table}` is gone; deployed callers may still ask for it by name")
            }
            ChangeKind::RemovedRelation => format!("the relation `{name}` of `{table}` is gone"),
            ChangeKind::ChangedRelation => {
                format!("the relation `{name}` of `{table}` changed from {before} to {after}")
            }
            ChangeKind::ChangedShardMode => format!(
                "the table `{table}` moved from `{before}` to `{after}`; its stored rows stay where they were, and functions look elsewhere"
            ),
            ChangeKind::ChangedJurisdiction => format!(
                "Durable Object jurisdiction changed from {before} to {after} — this re-homes every DO and strands all existing shard, scheduler, and session-DO data in the old region (no in-place migration; export then import to move it). Revert the change, or override the gate to proceed intentionally."
            ),
            ChangeKind::ChangedRegions => format!(
                "the regions of global tables changed from {before} to {after}; rows stay in the database of the region they were written to"
            ),
        }
    }
}
