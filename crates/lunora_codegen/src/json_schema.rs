//! Validators as JSON Schema, draft 2020-12, of the values as they travel.

use indexmap::IndexMap;
use lunora_ir::{LiteralValue, Validator};

use crate::json_text::JsonText;
use crate::typescript::push_string;

/// Appends the schema of what a validator accepts. It says what `toJsonSchema` of `@lunora/values`
/// says, as far as static reading sees.
pub(crate) fn push_schema(out: &mut String, validator: &Validator) {
    match validator {
        Validator::String => out.push_str(r#"{"type":"string"}"#),
        Validator::Storage { .. } => out.push_str(r#"{"type":"string","description":"Key of a stored object"}"#),
        Validator::Id { table } => {
            let mut schema = JsonText::object(out);
            schema.raw("type", "\"string\"").raw("minLength", "1").string("description", &format!("Id of {table}"));
            schema.end();
        }
        Validator::Number => out.push_str(r#"{"type":"number"}"#),
        Validator::Timestamp | Validator::Date => out.push_str(r#"{"type":"number","description":"Epoch milliseconds"}"#),
        Validator::Boolean => out.push_str(r#"{"type":"boolean"}"#),
        Validator::Null => out.push_str(r#"{"type":"null"}"#),
        Validator::Bigint => push_tagged(out, &["bigint"], &[r#"{"type":"string","pattern":"^-?[0-9]+$"}"#]),
        Validator::Bytes => push_tagged(out, &["bytes"], &[r#"{"type":"string","contentEncoding":"base64"}"#, r#"{"const":"ArrayBuffer"}"#]),
        Validator::GeoPoint => out.push_str(
            r#"{"type":"object","properties":{"lat":{"type":"number","minimum":-90,"maximum":90},"lng":{"type":"number","minimum":-180,"maximum":180}},"required":["lat","lng"]}"#,
        ),
        Validator::Any | Validator::Foreign => out.push_str("{}"),
        Validator::Literal { value } => push_literal(out, value),
        Validator::Array { item } => {
            let mut schema = JsonText::object(out);
            schema.raw("type", "\"array\"");
            push_schema(schema.property("items"), item);
            schema.end();
        }
        Validator::Object { fields } => push_object(out, fields),
        Validator::Record { key, value } => {
            let mut schema = JsonText::object(out);
            schema.raw("type", "\"object\"");
            push_schema(schema.property("propertyNames"), key);
            push_schema(schema.property("additionalProperties"), value);
            schema.end();
        }
        // Nothing matches, and `anyOf` may not be empty.
        Validator::Union { members } if members.is_empty() => out.push_str(r#"{"not":{}}"#),
        Validator::Union { members } => push_any_of(out, members, None),
        Validator::Optional { inner } | Validator::Typed { inner, .. } => push_schema(out, inner),
        Validator::Nullable { inner } => push_any_of(out, std::slice::from_ref(inner), Some(r#"{"type":"null"}"#)),
    }
}

/// Appends the schema of an object, such as the arguments of a function.
pub(crate) fn push_object(out: &mut String, fields: &IndexMap<String, Validator>) {
    let mut schema = JsonText::object(out);
    schema.raw("type", "\"object\"");
    let mut properties = JsonText::object(schema.property("properties"));
    for (name, field) in fields {
        push_schema(properties.property(name), field);
    }
    properties.end();
    let mut required = fields.iter().filter(|(_, field)| !field.is_optional()).peekable();
    if required.peek().is_some() {
        let mut names = JsonText::array(schema.property("required"));
        for (name, _) in required {
            push_string(names.element(), name);
        }
        names.end();
    }
    schema.end();
}

fn push_any_of<Member: std::borrow::Borrow<Validator>>(out: &mut String, members: &[Member], besides: Option<&str>) {
    let mut schema = JsonText::object(out);
    let mut list = JsonText::array(schema.property("anyOf"));
    for member in members {
        push_schema(list.element(), member.borrow());
    }
    if let Some(besides) = besides {
        list.element().push_str(besides);
    }
    list.end();
    schema.end();
}

/// What JSON cannot hold travels as an array that starts with a tag and the kind.
fn push_tagged(out: &mut String, kinds: &[&str], rest: &[&str]) {
    let count = (1 + kinds.len() + rest.len()).to_string();
    let mut schema = JsonText::object(out);
    schema.raw("type", "\"array\"");
    let mut items = JsonText::array(schema.property("prefixItems"));
    for constant in std::iter::once(&"$lunora.wire$").chain(kinds) {
        let mut item = JsonText::object(items.element());
        item.string("const", constant);
        item.end();
    }
    for item in rest {
        items.element().push_str(item);
    }
    items.end();
    schema.raw("minItems", &count).raw("maxItems", &count);
    schema.end();
}

fn push_literal(out: &mut String, value: &LiteralValue) {
    if let LiteralValue::Bigint(digits) = value {
        let mut constant = String::new();
        let mut item = JsonText::object(&mut constant);
        item.string("const", digits);
        item.end();
        push_tagged(out, &["bigint"], &[&constant]);
        return;
    }
    let mut schema = JsonText::object(out);
    let place = schema.property("const");
    match value {
        LiteralValue::String(text) => push_string(place, text),
        LiteralValue::Number(digits) | LiteralValue::Bigint(digits) => place.push_str(digits),
        LiteralValue::Boolean(value) => place.push_str(if *value { "true" } else { "false" }),
        LiteralValue::Null => place.push_str("null"),
    }
    schema.end();
}
