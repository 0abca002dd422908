//! Fields that hold a time: `.softDelete` and `.ttl`.

use lunora_diagnostics::codes;
use lunora_ir::{ShardMode, SoftDelete, TimeToLive, Validator};

use super::fields::{check_field, is_nullable};
use crate::facts::Name;
use crate::link::evaluate::Evaluator;
use crate::link::value::TableValue;

fn time_field<'table>(table: &'table TableValue, field: &Name) -> Option<&'table Validator> {
    table.columns.get(field).map(|(_, column)| &column.validator)
}

fn is_time(validator: &Validator) -> bool {
    matches!(
        validator.unwrapped(),
        Validator::Number | Validator::Timestamp | Validator::Date
    )
}

pub(super) fn soft_delete(evaluator: &mut Evaluator<'_>, owner: &str, table: &TableValue) -> Option<SoftDelete> {
    let (field, place) = table.soft_delete.as_ref()?;
    match time_field(table, field) {
        Some(validator) if !is_time(validator) => {
            let message = format!("`.softDelete` keeps the time of deletion in `{field}`, which holds no time");
            evaluator.report(
                codes::BAD_ARGUMENT,
                *place,
                message,
                format!("Declare `{field}: v.optional(v.number())`."),
            );
        }
        Some(validator) if !validator.is_optional() && !is_nullable(validator) => {
            let message =
                format!("`.softDelete` leaves `{field}` empty until a row is deleted, but the field is required");
            evaluator.report(
                codes::BAD_ARGUMENT,
                *place,
                message,
                format!("Declare `{field}: v.optional(v.number())`."),
            );
        }
        Some(_) => {}
        None if table.incomplete => {}
        None => {
            let message = format!("{owner} has no field `{field}`, where `.softDelete` keeps the time of deletion");
            evaluator.report(
                codes::UNKNOWN_FIELD,
                *place,
                message,
                format!("Declare `{field}: v.optional(v.number())`."),
            );
        }
    }
    Some(SoftDelete {
        field: field.to_string(),
    })
}

pub(super) fn time_to_live(evaluator: &mut Evaluator<'_>, owner: &str, table: &TableValue) -> Option<TimeToLive> {
    let (field, place, after) = table.time_to_live.as_ref()?;
    if let Some((ShardMode::Global, _)) = table.shard_mode {
        let message =
            format!("{owner} has `.ttl` and is `.global()`: no object has its rows, so none removes them in time");
        evaluator.report(
            codes::BAD_ARGUMENT,
            *place,
            message,
            "Take `.ttl` away, and delete rows that have expired in a cron.",
        );
    }
    if &**field != "_creationTime" {
        match time_field(table, field) {
            Some(validator) if !is_time(validator) => {
                let message = format!("`.ttl` counts from `{field}`, which holds no time");
                evaluator.report(
                    codes::BAD_ARGUMENT,
                    *place,
                    message,
                    "Use a field of `v.timestamp()`, `v.date()` or `v.number()`, or `_creationTime`.",
                );
            }
            _ => {
                check_field(evaluator, owner, table, &(field.clone(), *place));
            }
        }
    }
    Some(TimeToLive {
        field: field.to_string(),
        after: *after,
    })
}
