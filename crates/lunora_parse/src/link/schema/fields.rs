//! The fields of a table, and whether one is there.

use lunora_diagnostics::codes;
use lunora_ir::Validator;

use crate::facts::Name;
use crate::link::evaluate::Evaluator;
use crate::link::suggest::hint;
use crate::link::value::{Place, TableValue};

/// Columns that every table has.
pub(super) const SYSTEM_FIELDS: &[&str] = &["_id", "_creationTime"];

fn has_field(table: &TableValue, field: &str) -> bool {
    SYSTEM_FIELDS.contains(&field) || table.columns.keys().any(|column| &**column == field) || table.incomplete
}

fn field_names(table: &TableValue) -> Vec<&str> {
    table
        .columns
        .keys()
        .map(|column| &**column)
        .chain(SYSTEM_FIELDS.iter().copied())
        .collect()
}

pub(super) fn check_field(
    evaluator: &mut Evaluator<'_>,
    owner: &str,
    table: &TableValue,
    field: &(Name, Place),
) -> bool {
    let known = has_field(table, &field.0);
    if !known {
        let message = format!("{owner} has no field `{}`", field.0);
        evaluator.report(
            codes::UNKNOWN_FIELD,
            field.1,
            message,
            hint(&field.0, &field_names(table)),
        );
    }
    known
}

pub(super) fn is_nullable(validator: &Validator) -> bool {
    match validator {
        Validator::Nullable { .. } | Validator::Null => true,
        Validator::Optional { inner } | Validator::Typed { inner, .. } => is_nullable(inner),
        Validator::Union { members } => members.iter().any(is_nullable),
        _ => false,
    }
}
