//! A table as the model has it: columns, indexes and what was declared beside them.

use indexmap::IndexMap;
use lunora_diagnostics::{Diagnostic, codes};
use lunora_ir::{Column, Index, Table, Trigger, Validator};

use super::fields::check_field;
use super::lifetime::{soft_delete, time_to_live};
use super::naming::{check_field_name, is_identifier};
use super::relations::relations;
use super::tier::shard_mode;
use crate::facts::Name;
use crate::link::evaluate::Evaluator;
use crate::link::suggest::hint;
use crate::link::value::{Place, SchemaValue, TableValue};

pub(super) fn build_table(
    evaluator: &mut Evaluator<'_>,
    schema: &SchemaValue,
    name: &Name,
    table: &TableValue,
) -> Table {
    let owner = format!("the table `{name}`");
    let mut columns = IndexMap::with_capacity(table.columns.len());
    let mut indexes = IndexMap::new();
    for (field, (place, column)) in &table.columns {
        check_field_name(evaluator, field, *place);
        check_references(evaluator, schema, &column.references);
        if column.unique {
            let index = Index {
                fields: vec![field.to_string()],
                unique: true,
            };
            indexes.insert(format!("unique_{field}"), index);
        }
        columns.insert(
            field.to_string(),
            Column {
                validator: column.validator.clone(),
                has_default: column.has_default,
                unique: column.unique,
            },
        );
    }
    let mut declared: Vec<(&Name, Place)> = Vec::new();
    for index in &table.indexes {
        if let Some((_, first)) = declared.iter().find(|(before, _)| **before == index.name) {
            let path = evaluator.modules.path(index.place.file);
            let first_path = evaluator.modules.path(first.file);
            evaluator.diagnostics.push(
                Diagnostic::error(
                    codes::DUPLICATE_INDEX,
                    format!("{owner} has two indexes called `{}`", index.name),
                )
                .at(path, index.place.span)
                .and_at(first_path, first.span, "first declared here")
                .with_help("Remove or rename one of them."),
            );
            continue;
        }
        if &*index.name == "by_creation"
            || indexes.contains_key(&*index.name)
            || index.name.starts_with('_')
            || !is_identifier(&index.name)
        {
            let message = format!(
                "an index cannot be called `{}`: it is reserved, or is not a letter followed by letters, digits and `_`",
                index.name
            );
            evaluator.report(codes::RESERVED_NAME, index.place, message, "Choose another name.");
            continue;
        }
        declared.push((&index.name, index.place));
        let mut whole = true;
        for field in &index.fields {
            whole &= check_field(evaluator, &owner, table, field);
            if let Some((_, column)) = table.columns.get(&field.0)
                && !is_indexable(&column.validator)
            {
                let message = format!(
                    "the field `{}` holds objects, arrays or opaque values, which have no order",
                    field.0
                );
                evaluator.report(
                    codes::FIELD_NOT_INDEXABLE,
                    field.1,
                    message,
                    "Index a field that holds a string, number, boolean, bigint, id or time.",
                );
                whole = false;
            }
        }
        if whole {
            let fields = index.fields.iter().map(|(field, _)| field.to_string()).collect();
            indexes.insert(
                index.name.to_string(),
                Index {
                    fields,
                    unique: index.unique,
                },
            );
        }
    }
    let shard_mode = shard_mode(evaluator, &owner, table);
    let relations = relations(evaluator, schema, &owner, table, &shard_mode);
    let triggers = table
        .triggers
        .iter()
        .map(|(name, _, trigger)| {
            (
                name.to_string(),
                Trigger {
                    timing: trigger.timing,
                    event: trigger.event,
                },
            )
        })
        .collect();
    Table {
        columns,
        shard_mode,
        indexes,
        relations,
        triggers,
        soft_delete: soft_delete(evaluator, &owner, table),
        time_to_live: time_to_live(evaluator, &owner, table),
        is_public: table.is_public,
        file: evaluator.modules.path(table.place.file).to_owned(),
    }
}

fn check_references(evaluator: &mut Evaluator<'_>, schema: &SchemaValue, references: &[(Name, Place)]) {
    for (table, place) in references {
        if !schema.incomplete && !schema.tables.contains_key(table) {
            let names: Vec<&str> = schema.tables.keys().map(|name| &**name).collect();
            let message = format!("there is no table `{table}`");
            evaluator.report(codes::UNKNOWN_TABLE, *place, message, hint(table, &names));
        }
    }
}

fn is_indexable(validator: &Validator) -> bool {
    match validator.unwrapped() {
        Validator::Array { .. }
        | Validator::Object { .. }
        | Validator::Record { .. }
        | Validator::GeoPoint
        | Validator::Foreign
        | Validator::Any => false,
        Validator::Union { members } => members.iter().all(is_indexable),
        _ => true,
    }
}
