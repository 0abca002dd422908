//! Names that tables and fields cannot have.

use lunora_diagnostics::codes;

use crate::facts::Name;
use crate::link::evaluate::Evaluator;
use crate::link::value::Place;

/// Members of `ctx.db`, which a table of the same name would hide.
const DATABASE_MEMBERS: &[&str] = &[
    "asId",
    "delete",
    "deleteAll",
    "deleteMany",
    "deleteWhere",
    "get",
    "insert",
    "insertMany",
    "insertManyUnsafe",
    "normalizeId",
    "patch",
    "patchMany",
    "patchWhere",
    "query",
    "replace",
    "system",
    "wipeShard",
];

/// Names that are no plain property in JavaScript.
const OBJECT_MEMBERS: &[&str] = &["__proto__", "constructor", "prototype", "toString", "valueOf", "then"];

pub(super) fn check_table_name(evaluator: &mut Evaluator<'_>, name: &Name, place: Place) {
    let why = if DATABASE_MEMBERS.contains(&&**name) {
        Some("`ctx.db` has a method of that name".to_owned())
    } else if OBJECT_MEMBERS.contains(&&**name) {
        Some("every JavaScript object has a member of that name".to_owned())
    } else if name.starts_with('_') {
        Some("names that begin with `_` belong to Lunora".to_owned())
    } else if !is_identifier(name) {
        Some("a table's name is a letter followed by letters, digits and `_`".to_owned())
    } else if name.len() > 64 {
        Some("a table's name has at most 64 characters".to_owned())
    } else {
        None
    };
    if let Some(why) = why {
        let message = format!("a table cannot be called `{name}`: {why}");
        evaluator.report(codes::RESERVED_NAME, place, message, "Choose another name.");
    }
}

pub(super) fn is_identifier(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || character == '_')
}

pub(super) fn check_field_name(evaluator: &mut Evaluator<'_>, name: &Name, place: Place) {
    let why = if name.starts_with('_') {
        "fields that begin with `_` belong to Lunora"
    } else if OBJECT_MEMBERS.contains(&&**name) {
        "every JavaScript object has a member of that name"
    } else if name.is_empty() || name.contains(['"', '\\', '$', '\0', '.', '[', ']', '\'']) {
        "it cannot be part of an index expression"
    } else {
        return;
    };
    let message = format!("a field cannot be called `{name}`: {why}");
    evaluator.report(codes::RESERVED_NAME, place, message, "Choose another name.");
}
