//! Where the rows of a table live, and the field that says so.

use indexmap::IndexMap;
use lunora_diagnostics::{Diagnostic, codes};
use lunora_ir::{LiteralValue, ShardMode, Validator};

use super::fields::{SYSTEM_FIELDS, check_field, is_nullable};
use super::naming::is_identifier;
use crate::facts::Name;
use crate::link::evaluate::Evaluator;
use crate::link::value::{Place, SchemaValue, TableValue};

/// The text form that shard values of a field share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::link) enum ShardKind {
    Text,
    Number,
    Bigint,
}

pub(super) fn shard_mode(evaluator: &mut Evaluator<'_>, owner: &str, table: &TableValue) -> ShardMode {
    let Some((mode, place)) = &table.shard_mode else {
        return ShardMode::Root;
    };
    if let ShardMode::ShardBy { field } = mode {
        let name: Name = field.as_str().into();
        if SYSTEM_FIELDS.contains(&field.as_str()) {
            let message = format!("{owner} cannot be sharded by `{field}`, which every row gets when it is written");
            evaluator.report(
                codes::SHARD_FIELD_UNSUITABLE,
                *place,
                message,
                "Shard by a field that callers know, such as the id of what the rows belong to.",
            );
            return ShardMode::Root;
        }
        if !check_field(evaluator, owner, table, &(name.clone(), *place)) {
            return ShardMode::Root;
        }
        if let Some((_, column)) = table.columns.get(&name) {
            let inner = &column.validator;
            if inner.is_optional() || is_nullable(inner) {
                let message =
                    format!("{owner} is sharded by `{field}`, which may be missing: such a row would belong nowhere");
                evaluator.report(
                    codes::SHARD_FIELD_UNSUITABLE,
                    *place,
                    message,
                    format!("Make `{field}` required, without `v.optional` and `.nullable()`."),
                );
            } else if shard_kind(inner).is_none() {
                let message =
                    format!("{owner} is sharded by `{field}`, which is not a string, an id, a number or a bigint");
                evaluator.report(
                    codes::SHARD_FIELD_UNSUITABLE,
                    *place,
                    message,
                    "Shard by a field with one canonical text form: a string, an id, a number or a bigint.",
                );
            }
        }
        if field.contains('=') || field.starts_with("__") || !is_identifier(field) {
            let message = format!("`{field}` cannot be part of an object's name");
            evaluator.report(
                codes::SHARD_FIELD_UNSUITABLE,
                *place,
                message,
                "Call the field by letters, digits and `_`.",
            );
        }
    }
    mode.clone()
}

/// The text form of a shard value, for validators that have one.
pub(in crate::link) fn shard_kind(validator: &Validator) -> Option<ShardKind> {
    match validator {
        Validator::String | Validator::Id { .. } => Some(ShardKind::Text),
        Validator::Number => Some(ShardKind::Number),
        Validator::Bigint => Some(ShardKind::Bigint),
        Validator::Literal { value } => match value {
            LiteralValue::String(_) => Some(ShardKind::Text),
            LiteralValue::Number(_) => Some(ShardKind::Number),
            LiteralValue::Bigint(_) => Some(ShardKind::Bigint),
            LiteralValue::Boolean(_) | LiteralValue::Null => None,
        },
        Validator::Union { members } => {
            let (first, rest) = members.split_first()?;
            let kind = shard_kind(first)?;
            rest.iter()
                .all(|member| shard_kind(member) == Some(kind))
                .then_some(kind)
        }
        Validator::Typed { inner, .. } => shard_kind(inner),
        _ => None,
    }
}

/// Tables sharded by fields of the same name share objects, so the fields must share a text form.
pub(super) fn check_shard_kinds(evaluator: &mut Evaluator<'_>, schema: &SchemaValue) {
    let mut first: IndexMap<String, (ShardKind, Name, Place)> = IndexMap::new();
    for (name, (_, table)) in &schema.tables {
        let Some((ShardMode::ShardBy { field }, place)) = &table.shard_mode else {
            continue;
        };
        let Some((_, column)) = table.columns.get(&Name::from(field.as_str())) else {
            continue;
        };
        let Some(kind) = shard_kind(&column.validator) else {
            continue;
        };
        match first.get(field) {
            None => {
                first.insert(field.clone(), (kind, name.clone(), *place));
            }
            Some((before, other, other_place)) if *before != kind => {
                let message = format!(
                    "`{name}` and `{other}` are both sharded by `{field}` and would share objects, but the field has different types in them"
                );
                let path = evaluator.modules.path(place.file);
                let other_path = evaluator.modules.path(other_place.file);
                evaluator.diagnostics.push(
                    Diagnostic::error(codes::SHARD_FIELD_UNSUITABLE, message)
                        .at(path, place.span)
                        .and_at(other_path, other_place.span, "the other table")
                        .with_help("Give the field one type, or two names."),
                );
            }
            Some(_) => {}
        }
    }
}
