//! Relations between tables, and what a deletion does along them.

use indexmap::IndexMap;
use lunora_diagnostics::codes;
use lunora_ir::{Relation, RelationKind, ShardMode};

use super::fields::{check_field, is_nullable};
use crate::facts::Name;
use crate::link::evaluate::Evaluator;
use crate::link::suggest::hint;
use crate::link::value::{Place, SchemaValue, TableValue};

pub(super) fn relations(
    evaluator: &mut Evaluator<'_>,
    schema: &SchemaValue,
    owner: &str,
    table: &TableValue,
    mode: &ShardMode,
) -> IndexMap<String, Relation> {
    let mut relations = IndexMap::new();
    for (name, place, relation) in &table.relations {
        if table.columns.contains_key(name) {
            let message = format!("{owner} has a field `{name}` already; a relation of that name would hide it");
            evaluator.report(codes::RESERVED_NAME, *place, message, "Rename one of them.");
        }
        let (target_name, target_place) = &relation.table;
        let Some((_, target)) = schema.tables.get(target_name) else {
            if !schema.incomplete {
                let names: Vec<&str> = schema.tables.keys().map(|name| &**name).collect();
                let message = format!("there is no table `{target_name}`");
                evaluator.report(codes::UNKNOWN_TABLE, *target_place, message, hint(target_name, &names));
            }
            continue;
        };
        let other = format!("the table `{target_name}`");
        let (holder, holder_owner, pointed, pointed_owner) = match relation.kind {
            RelationKind::One => (table, owner, &**target, other.as_str()),
            RelationKind::Many => (&**target, other.as_str(), table, owner),
        };
        let mut whole = check_field(evaluator, holder_owner, holder, &relation.field);
        if let Some(references) = &relation.references {
            whole &= check_field(evaluator, pointed_owner, pointed, references);
        }
        if let (Some(lunora_ir::OnDelete::SetNull), Some((_, column))) =
            (relation.on_delete, holder.columns.get(&relation.field.0))
            && !is_nullable(&column.validator)
        {
            let message = format!(
                "`onDelete: \"set null\"` would write `null` to `{}`, which does not accept it",
                relation.field.0
            );
            evaluator.report(
                codes::BAD_ARGUMENT,
                relation.field.1,
                message,
                "Add `.nullable()` to the field.",
            );
        }
        if relation.on_delete.is_some() {
            check_on_delete_tiers(evaluator, owner, table, mode, target_name, target, *place);
        }
        if whole {
            relations.insert(
                name.to_string(),
                Relation {
                    kind: relation.kind,
                    table: target_name.to_string(),
                    field: relation.field.0.to_string(),
                    references: relation
                        .references
                        .as_ref()
                        .map_or_else(|| "_id".to_owned(), |(field, _)| field.to_string()),
                    on_delete: relation.on_delete,
                },
            );
        }
    }
    relations
}

/// A cascade runs in the transaction of the delete, which reaches one object.
fn check_on_delete_tiers(
    evaluator: &mut Evaluator<'_>,
    owner: &str,
    table: &TableValue,
    mode: &ShardMode,
    target_name: &Name,
    target: &TableValue,
    place: Place,
) {
    let target_mode = target.shard_mode.as_ref().map_or(&ShardMode::Root, |(mode, _)| mode);
    let same = mode == target_mode
        || matches!(mode, ShardMode::Colocated)
        || matches!(target_mode, ShardMode::Colocated)
        || table.incomplete
        || target.incomplete;
    if !same {
        let message = format!("`onDelete` cannot be kept: {owner} and `{target_name}` live in different objects");
        let help =
            "Put both tables in one tier, sharded by the same field, or remove `onDelete` and clean up in a function.";
        evaluator.report(codes::CONFLICTING_TIER, place, message, help);
    }
}
