//! Values as text, in the style of the file.

use serde_json::Value;

use super::owned::{MARK, PLACEHOLDER};
use super::style::Style;

/// Writes a value over as many lines as it needs: lists of plain values, and entries of a list that
/// hold nothing deeper, stay on one line.
pub(super) fn render(value: &Value, style: Style<'_>, indent: &str) -> String {
    let mut text = String::new();
    write(&mut text, value, style, indent, false);
    text
}

/// Writes a value on one line.
pub(super) fn render_inline(value: &Value) -> String {
    let mut text = String::new();
    write_inline(&mut text, value);
    text
}

/// A string as JSON.
pub(super) fn quote(text: &str) -> String {
    Value::from(text).to_string()
}

fn write(text: &mut String, value: &Value, style: Style<'_>, indent: &str, in_list: bool) {
    let inner = format!("{indent}{}", style.unit);
    match value {
        Value::Object(fields) if takes_lines(fields, in_list) => {
            text.push('{');
            for (position, (key, field)) in fields.iter().enumerate() {
                start_line(text, style, &inner, position);
                text.push_str(&quote(key));
                text.push_str(": ");
                write(text, field, style, &inner, false);
            }
            text.push_str(style.newline);
            text.push_str(indent);
            text.push('}');
        }
        Value::Array(items) if !is_flat(value) => {
            text.push('[');
            for (position, item) in items.iter().enumerate() {
                start_line(text, style, &inner, position);
                write(text, item, style, &inner, true);
            }
            text.push_str(style.newline);
            text.push_str(indent);
            text.push(']');
        }
        _ => write_inline(text, value),
    }
}

fn takes_lines(fields: &serde_json::Map<String, Value>, in_list: bool) -> bool {
    let fits_on_one = fields.is_empty() || (in_list && fields.values().all(is_flat));
    !fits_on_one
}

fn start_line(text: &mut String, style: Style<'_>, indent: &str, position: usize) {
    if position > 0 {
        text.push(',');
    }
    text.push_str(style.newline);
    text.push_str(indent);
}

fn is_flat(value: &Value) -> bool {
    match value {
        Value::Object(_) => false,
        Value::Array(items) => items.iter().all(|item| !item.is_object() && !item.is_array()),
        _ => true,
    }
}

fn write_inline(text: &mut String, value: &Value) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            text.push_str("{ ");
            for (position, (key, field)) in fields.iter().enumerate() {
                if position > 0 {
                    text.push_str(", ");
                }
                text.push_str(&quote(key));
                text.push_str(": ");
                write_inline(text, field);
            }
            text.push_str(" }");
        }
        Value::Array(items) => {
            text.push('[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    text.push_str(", ");
                }
                write_inline(text, item);
            }
            text.push(']');
        }
        Value::String(plain) if plain.starts_with(PLACEHOLDER) => {
            text.push_str(MARK);
            text.push(' ');
            text.push_str(&quote(&plain[PLACEHOLDER.len_utf8()..]));
        }
        plain => text.push_str(&plain.to_string()),
    }
}
