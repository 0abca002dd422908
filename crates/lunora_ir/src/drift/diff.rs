//! Every difference between two snapshots.

use std::collections::{BTreeMap, BTreeSet};

use super::change::{Change, ChangeKind};
use super::snapshot::{FieldSnapshot, RelationSnapshot, Snapshot, TableSnapshot};
use super::widening::is_widening;
use crate::{Index, OnDelete, RelationKind};

fn index_text(index: &Index) -> String {
    let unique = if index.unique { ", unique" } else { "" };
    format!("`[{}]{unique}`", index.fields.join(", "))
}

fn relation_text(relation: &RelationSnapshot) -> String {
    let kind = match relation.kind {
        RelationKind::One => "one",
        RelationKind::Many => "many",
    };
    let on_delete = match relation.on_delete {
        None => "",
        Some(OnDelete::Cascade) => ", on delete cascade",
        Some(OnDelete::Restrict) => ", on delete restrict",
        Some(OnDelete::SetNull) => ", on delete set null",
    };
    format!(
        "`{kind} {} by {} to {}{on_delete}`",
        relation.table, relation.field, relation.references
    )
}

fn regions_text(regions: Option<&BTreeSet<String>>) -> Option<String> {
    regions.map(|regions| regions.iter().cloned().collect::<Vec<_>>().join(", "))
}

/// Collects the changes of one table.
struct TableDiff<'a> {
    table: &'a str,
    changes: &'a mut Vec<Change>,
}

impl TableDiff<'_> {
    fn push(&mut self, kind: ChangeKind, name: Option<&str>, before: Option<String>, after: Option<String>) {
        self.changes.push(Change {
            table: Some(self.table.to_owned()),
            kind,
            name: name.map(str::to_owned),
            before,
            after,
        });
    }

    fn fields(&mut self, before: &BTreeMap<String, FieldSnapshot>, after: &BTreeMap<String, FieldSnapshot>) {
        for (name, was) in before {
            let Some(is) = after.get(name) else {
                self.push(ChangeKind::RemovedField, Some(name), Some(was.kind.clone()), None);
                continue;
            };
            if was.kind != is.kind {
                let kind = if is_widening(&was.kind, &is.kind) {
                    ChangeKind::WidenedFieldKind
                } else {
                    ChangeKind::ChangedFieldKind
                };
                self.push(kind, Some(name), Some(was.kind.clone()), Some(is.kind.clone()));
            }
            match (was.optional, is.optional) {
                (false, true) => self.push(ChangeKind::FieldRequiredToOptional, Some(name), None, None),
                (true, false) => self.push(ChangeKind::FieldOptionalToRequired, Some(name), None, None),
                _ => {}
            }
        }
        for (name, is) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
            let kind = if is.optional {
                ChangeKind::AddedOptionalField
            } else {
                ChangeKind::AddedRequiredField
            };
            self.push(kind, Some(name), None, Some(is.kind.clone()));
        }
    }

    /// What is there by name on both sides, or on one: indexes and relations.
    fn named<T: PartialEq>(
        &mut self,
        before: &BTreeMap<String, T>,
        after: &BTreeMap<String, T>,
        text: fn(&T) -> String,
        [added, changed, removed]: [ChangeKind; 3],
    ) {
        for (name, was) in before {
            match after.get(name) {
                None => self.push(removed, Some(name), Some(text(was)), None),
                Some(is) if was != is => self.push(changed, Some(name), Some(text(was)), Some(text(is))),
                Some(_) => {}
            }
        }
        for (name, is) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
            self.push(added, Some(name), None, Some(text(is)));
        }
    }

    fn table(&mut self, before: &TableSnapshot, after: &TableSnapshot) {
        if before.shard_mode != after.shard_mode {
            let (was, is) = (before.shard_mode.clone(), after.shard_mode.clone());
            self.push(ChangeKind::ChangedShardMode, None, Some(was), Some(is));
        }
        self.fields(&before.fields, &after.fields);
        self.named(
            &before.indexes,
            &after.indexes,
            index_text,
            [
                ChangeKind::AddedIndex,
                ChangeKind::ChangedIndex,
                ChangeKind::RemovedIndex,
            ],
        );
        self.named(
            &before.relations,
            &after.relations,
            relation_text,
            [
                ChangeKind::AddedRelation,
                ChangeKind::ChangedRelation,
                ChangeKind::RemovedRelation,
            ],
        );
    }
}

/// Every difference, those of the whole schema first, then by table. New or removed migrations are none: they say
/// nothing about what is stored.
pub(super) fn diff(before: &Snapshot, after: &Snapshot) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut push_whole = |kind, was: Option<String>, is: Option<String>| {
        if was != is {
            changes.push(Change {
                table: None,
                kind,
                name: None,
                before: was,
                after: is,
            });
        }
    };
    push_whole(
        ChangeKind::ChangedJurisdiction,
        before.jurisdiction.clone(),
        after.jurisdiction.clone(),
    );
    push_whole(
        ChangeKind::ChangedRegions,
        regions_text(before.regions.as_ref()),
        regions_text(after.regions.as_ref()),
    );
    let names: BTreeSet<&String> = before.tables.keys().chain(after.tables.keys()).collect();
    for table in names {
        let mut one = TableDiff {
            table,
            changes: &mut changes,
        };
        match (before.tables.get(table), after.tables.get(table)) {
            (Some(was), Some(is)) => one.table(was, is),
            (Some(_), None) => one.push(ChangeKind::RemovedTable, None, None, None),
            _ => one.push(ChangeKind::AddedTable, None, None, None),
        }
    }
    changes
}
