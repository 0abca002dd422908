//! The canonical text of a validator, as snapshots hold it.
//!
//! Two validators that accept the same stored values in an obvious way have the same text: members of unions are
//! flattened and sorted, fields of objects are sorted, `nullable` is a union with `null`, and what only TypeScript
//! sees (`$type`) is left out.

use std::collections::BTreeSet;

use crate::{LiteralValue, Validator};

/// A JSON string. Control characters, quotes and backslashes are escaped; nothing else is.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            '\u{0}'..='\u{1f}' => out.push_str(&format!("\\u{:04x}", u32::from(character))),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

fn literal(value: &LiteralValue) -> String {
    match value {
        LiteralValue::String(text) => format!("literal({})", quoted(text)),
        LiteralValue::Number(text) => format!("literal({text})"),
        LiteralValue::Boolean(value) => format!("literal({value})"),
        LiteralValue::Bigint(digits) => format!("literal({digits}n)"),
        LiteralValue::Null => "null".to_owned(),
    }
}

fn union(members: BTreeSet<String>) -> String {
    if members.len() == 1 {
        return members.into_iter().collect();
    }
    let members: Vec<String> = members.into_iter().collect();
    format!("union({})", members.join(", "))
}

fn push_members(validator: &Validator, members: &mut BTreeSet<String>) {
    match validator {
        Validator::Union { members: inner } => {
            for member in inner {
                push_members(member, members);
            }
        }
        Validator::Nullable { inner } => {
            members.insert("null".to_owned());
            push_members(inner, members);
        }
        Validator::Typed { inner, .. } | Validator::Optional { inner } => push_members(inner, members),
        other => {
            members.insert(kind_text(other));
        }
    }
}

/// The text. Whether the value may be left out is not part of it.
pub(super) fn kind_text(validator: &Validator) -> String {
    match validator {
        Validator::String => "string".to_owned(),
        Validator::Number => "number".to_owned(),
        Validator::Boolean => "boolean".to_owned(),
        Validator::Null => "null".to_owned(),
        Validator::Bigint => "bigint".to_owned(),
        Validator::Bytes => "bytes".to_owned(),
        Validator::Timestamp => "timestamp".to_owned(),
        Validator::Date => "date".to_owned(),
        Validator::GeoPoint => "geoPoint".to_owned(),
        Validator::Any => "any".to_owned(),
        Validator::Foreign => "foreign".to_owned(),
        Validator::Storage { bucket: None } => "storage".to_owned(),
        Validator::Storage { bucket: Some(bucket) } => format!("storage({})", quoted(bucket)),
        Validator::Id { table } => format!("id({})", quoted(table)),
        Validator::Literal { value } => literal(value),
        Validator::Array { item } => format!("array({})", kind_text(item)),
        Validator::Record { key, value } => format!("record({}, {})", kind_text(key), kind_text(value)),
        Validator::Object { fields } => {
            let fields: BTreeSet<String> = fields
                .iter()
                .map(|(name, field)| {
                    let mark = if field.is_optional() { "?" } else { "" };
                    format!("{}{mark}: {}", quoted(name), kind_text(field))
                })
                .collect();
            let fields: Vec<String> = fields.into_iter().collect();
            format!("object({})", fields.join(", "))
        }
        Validator::Union { .. } | Validator::Nullable { .. } => {
            let mut members = BTreeSet::new();
            push_members(validator, &mut members);
            union(members)
        }
        Validator::Optional { inner } | Validator::Typed { inner, .. } => kind_text(inner),
    }
}
