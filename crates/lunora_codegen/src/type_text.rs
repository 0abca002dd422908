//! Validators as TypeScript types.

use indexmap::IndexMap;
use lunora_ir::{LiteralValue, Validator};

use crate::typescript::{push_key, push_string};

/// Appends the type of the values that a validator produces.
pub(crate) fn push_type(out: &mut String, validator: &Validator) {
    match validator {
        Validator::String | Validator::Storage { .. } => out.push_str("string"),
        Validator::Number | Validator::Timestamp | Validator::Date => out.push_str("number"),
        Validator::Boolean => out.push_str("boolean"),
        Validator::Null => out.push_str("null"),
        Validator::Bigint => out.push_str("bigint"),
        Validator::Bytes => out.push_str("ArrayBuffer"),
        Validator::GeoPoint => out.push_str("{ lat: number; lng: number }"),
        Validator::Any => out.push_str("any"),
        Validator::Foreign => out.push_str("unknown"),
        Validator::Id { table } => {
            out.push_str("Id<");
            push_string(out, table);
            out.push('>');
        }
        Validator::Literal { value } => push_literal(out, value),
        Validator::Array { item } => {
            push_operand(out, item);
            out.push_str("[]");
        }
        Validator::Object { fields } => push_object(out, fields),
        Validator::Record { key, value } => {
            out.push_str("Record<");
            push_type(out, key);
            out.push_str(", ");
            push_type(out, value);
            out.push('>');
        }
        Validator::Union { members } if members.is_empty() => out.push_str("never"),
        Validator::Union { members } => {
            for (position, member) in members.iter().enumerate() {
                if position > 0 {
                    out.push_str(" | ");
                }
                push_operand(out, member);
            }
        }
        Validator::Optional { inner } => {
            push_operand(out, inner);
            out.push_str(" | undefined");
        }
        Validator::Nullable { inner } => {
            push_operand(out, inner);
            out.push_str(" | null");
        }
        Validator::Typed { text, .. } => out.push_str(text),
    }
}

/// Appends `name: type`, or `name?: type` where the value may be left out; there is no separator.
pub(crate) fn push_field(out: &mut String, name: &str, validator: &Validator, is_optional: bool) {
    push_key(out, name);
    out.push_str(if is_optional { "?: " } else { ": " });
    push_present(out, validator);
}

/// The type of a value that is there: the mark that it may be left out stands at its name.
fn push_present(out: &mut String, validator: &Validator) {
    match validator {
        Validator::Optional { inner } => push_present(out, inner),
        Validator::Nullable { inner } if validator.is_optional() => {
            push_parenthesised(out, |out| push_present(out, inner));
            out.push_str(" | null");
        }
        other => push_type(out, other),
    }
}

fn push_object(out: &mut String, fields: &IndexMap<String, Validator>) {
    if fields.is_empty() {
        out.push_str("{}");
        return;
    }
    out.push_str("{ ");
    for (position, (name, field)) in fields.iter().enumerate() {
        if position > 0 {
            out.push_str("; ");
        }
        push_field(out, name, field, field.is_optional());
    }
    out.push_str(" }");
}

/// A type inside a union or before `[]`.
fn push_operand(out: &mut String, validator: &Validator) {
    let is_compound = match validator {
        Validator::Union { members } => !members.is_empty(),
        Validator::Optional { .. } | Validator::Nullable { .. } | Validator::Typed { .. } => true,
        _ => false,
    };
    if is_compound {
        push_parenthesised(out, |out| push_type(out, validator));
    } else {
        push_type(out, validator);
    }
}

fn push_parenthesised(out: &mut String, write: impl FnOnce(&mut String)) {
    out.push('(');
    write(out);
    out.push(')');
}

fn push_literal(out: &mut String, value: &LiteralValue) {
    match value {
        LiteralValue::String(text) => push_string(out, text),
        // A type `-0` is the type `0`, and written so.
        LiteralValue::Number(digits) => out.push_str(if digits == "-0" { "0" } else { digits }),
        LiteralValue::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
        LiteralValue::Bigint(digits) => {
            out.push_str(digits);
            out.push('n');
        }
        LiteralValue::Null => out.push_str("null"),
    }
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use lunora_ir::{LiteralValue, Validator};

    use super::push_type;

    fn text(validator: &Validator) -> String {
        let mut out = String::new();
        push_type(&mut out, validator);
        out
    }

    fn optional(inner: Validator) -> Validator {
        Validator::Optional { inner: Box::new(inner) }
    }

    fn nullable(inner: Validator) -> Validator {
        Validator::Nullable { inner: Box::new(inner) }
    }

    fn literal(value: LiteralValue) -> Validator {
        Validator::Literal { value }
    }

    #[test]
    fn unions_are_parenthesised_where_it_matters() {
        let union = Validator::Union {
            members: vec![
                literal(LiteralValue::String("a".into())),
                nullable(Validator::Id { table: "t".into() }),
            ],
        };
        assert_eq!(text(&union), "\"a\" | (Id<\"t\"> | null)");
        assert_eq!(
            text(&Validator::Array { item: Box::new(union) }),
            "(\"a\" | (Id<\"t\"> | null))[]"
        );
        assert_eq!(text(&Validator::Union { members: vec![] }), "never");
        let typed = Validator::Typed {
            inner: Box::new(Validator::Any),
            text: "() => void".into(),
        };
        assert_eq!(text(&nullable(typed)), "(() => void) | null");
    }

    #[test]
    fn a_field_that_may_be_left_out_says_so_at_its_name() {
        let fields = IndexMap::from([
            ("a".to_owned(), optional(nullable(Validator::String))),
            ("b".to_owned(), nullable(optional(Validator::Bytes))),
            ("c-d".to_owned(), nullable(Validator::Bigint)),
        ]);
        assert_eq!(
            text(&Validator::Object { fields }),
            "{ a?: string | null; b?: (ArrayBuffer) | null; \"c-d\": bigint | null }"
        );
        assert_eq!(
            text(&Validator::Object {
                fields: IndexMap::new()
            }),
            "{}"
        );
    }

    #[test]
    fn literals() {
        for (value, expected) in [
            (LiteralValue::Number("-0".into()), "0"),
            (LiteralValue::Number("-1.5e+30".into()), "-1.5e+30"),
            (LiteralValue::Bigint("-12".into()), "-12n"),
            (LiteralValue::Boolean(true), "true"),
            (LiteralValue::Null, "null"),
        ] {
            assert_eq!(text(&literal(value)), expected);
        }
    }
}
