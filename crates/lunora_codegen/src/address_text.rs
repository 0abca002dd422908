//! Addresses as text: literals of TypeScript, and JSON.

use lunora_ir::{Address, FanOutMerge, MergeDirection};

use crate::typescript::push_string;

/// How an object is written.
#[derive(Clone, Copy)]
struct Style {
    open: &'static str,
    /// Around the name of a property.
    quote: &'static str,
    colon: &'static str,
    comma: &'static str,
    close: &'static str,
}

const LITERAL: Style = Style {
    open: "{ ",
    quote: "",
    colon: ": ",
    comma: ", ",
    close: " }",
};

const JSON: Style = Style {
    open: "{",
    quote: "\"",
    colon: ":",
    comma: ",",
    close: "}",
};

/// The value of a property.
enum Value<'a> {
    Text(&'a str),
    Number(u32),
    Merge(&'a FanOutMerge),
}

/// Appends an address as an object literal. Left-out parts of a merge are left out.
pub(crate) fn push_address(out: &mut String, address: &Address) {
    write_address(out, address, LITERAL);
}

/// Appends an address as JSON.
pub(crate) fn push_address_json(out: &mut String, address: &Address) {
    write_address(out, address, JSON);
}

fn write_address(out: &mut String, address: &Address, style: Style) {
    use Value::{Merge, Text};
    match address {
        Address::Root => write(out, style, "root", &[]),
        Address::Worker => write(out, style, "worker", &[]),
        Address::Argument { argument, field } => {
            write(
                out,
                style,
                "argument",
                &[("argument", Text(argument)), ("field", Text(field))],
            );
        }
        Address::Id { argument, table, field } => {
            let fields = [
                ("argument", Text(argument)),
                ("table", Text(table)),
                ("field", Text(field)),
            ];
            write(out, style, "id", &fields);
        }
        Address::FanOut { field, merge } => {
            write(out, style, "fanOut", &[("field", Text(field)), ("merge", Merge(merge))]);
        }
    }
}

fn write_merge(out: &mut String, merge: &FanOutMerge, style: Style) {
    use Value::{Number, Text};
    match merge {
        FanOutMerge::Concat { by, direction } => {
            let mut fields = Vec::new();
            fields.extend(by.as_deref().map(|by| ("by", Text(by))));
            fields.extend(direction.map(|direction| ("direction", Text(direction_text(direction)))));
            write(out, style, "concat", &fields);
        }
        FanOutMerge::TopK { by, k, direction } => {
            let fields = [
                ("by", Text(by)),
                ("k", Number(*k)),
                ("direction", Text(direction_text(*direction))),
            ];
            write(out, style, "topK", &fields);
        }
        FanOutMerge::First => write(out, style, "first", &[]),
        FanOutMerge::Sum => write(out, style, "sum", &[]),
        FanOutMerge::Min => write(out, style, "min", &[]),
        FanOutMerge::Max => write(out, style, "max", &[]),
        FanOutMerge::GroupBy { by, value, operation } => {
            let fields = [("by", Text(by)), ("value", Text(value)), ("operation", Text(operation))];
            write(out, style, "groupBy", &fields);
        }
    }
}

const fn direction_text(direction: MergeDirection) -> &'static str {
    match direction {
        MergeDirection::Ascending => "asc",
        MergeDirection::Descending => "desc",
    }
}

fn write(out: &mut String, style: Style, kind: &str, fields: &[(&str, Value<'_>)]) {
    out.push_str(style.open);
    write_name(out, style, "kind");
    push_string(out, kind);
    for (name, value) in fields {
        out.push_str(style.comma);
        write_name(out, style, name);
        match value {
            Value::Text(text) => push_string(out, text),
            Value::Number(number) => out.push_str(&number.to_string()),
            Value::Merge(merge) => write_merge(out, merge, style),
        }
    }
    out.push_str(style.close);
}

fn write_name(out: &mut String, style: Style, name: &str) {
    for part in [style.quote, name, style.quote, style.colon] {
        out.push_str(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_what_the_model_serializes_to() {
        let addresses = [
            Address::Root,
            Address::Worker,
            Address::Id {
                argument: "id".to_owned(),
                table: "a\"b".to_owned(),
                field: "channelId".to_owned(),
            },
            Address::FanOut {
                field: "channelId".to_owned(),
                merge: FanOutMerge::TopK {
                    by: "score".to_owned(),
                    k: 3,
                    direction: MergeDirection::Descending,
                },
            },
        ];
        for address in addresses {
            let mut text = String::new();
            push_address_json(&mut text, &address);
            let read: Option<Address> = serde_json::from_str(&text).ok();
            assert_eq!(read, Some(address), "{text}");
        }
    }
}
