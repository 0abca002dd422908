//! JSON text that is the same for equal values, and the key of a subscription.

use std::fmt::Write as _;

use serde_json::Value as Json;

use crate::value::{Value, WireError, encode};

/// JSON without spaces, the keys of every object sorted by UTF-16 code unit.
#[must_use]
pub fn canonical_json(json: &Json) -> String {
    let mut text = String::new();
    write(&mut text, json);
    text
}

/// One text for each (function, arguments, shard): what subscriptions are shared by.
///
/// # Errors
/// When the arguments are nested too deep.
pub fn subscription_key(function_path: &str, arguments: &Value, shard_key: Option<&str>) -> Result<String, WireError> {
    let arguments = encode(arguments)?.unwrap_or(Json::Null);
    Ok(format!(
        "{function_path}::{}::{}",
        canonical_json(&arguments),
        shard_key.unwrap_or("")
    ))
}

fn write(text: &mut String, json: &Json) {
    match json {
        Json::Number(number) => write_number(text, number),
        Json::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write(text, item);
            }
            text.push(']');
        }
        Json::Object(fields) => {
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_by(|(left, _), (right, _)| left.encode_utf16().cmp(right.encode_utf16()));
            text.push('{');
            for (index, (name, field)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_plain(text, &Json::String(name.clone()));
                text.push(':');
                write(text, field);
            }
            text.push('}');
        }
        plain => write_plain(text, plain),
    }
}

/// As ECMAScript writes numbers, which is not how Rust does beyond 2^53.
fn write_number(text: &mut String, number: &serde_json::Number) {
    match number.as_f64() {
        Some(double) if double.is_finite() => {
            let double = if double == 0.0 { 0.0 } else { double };
            text.push_str(ryu_js::Buffer::new().format_finite(double));
        }
        // `Number` holds nothing else.
        _ => text.push_str("null"),
    }
}

fn write_plain(text: &mut String, json: &Json) {
    // Writing into a string cannot fail.
    let _ = write!(text, "{json}");
}
