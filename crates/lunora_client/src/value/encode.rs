//! From values to JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value as Json, json};

use super::{MAX_WIRE_DEPTH, Value, WIRE_TAG, WireError, WireErrorValue};

/// Integers that a double holds exactly are written without a fraction, as JavaScript writes them.
const SAFE_INTEGER: f64 = 9_007_199_254_740_992.0;

/// A value as JSON can hold it; `None` for [`Value::Undefined`] on its own.
///
/// # Errors
/// When it is nested deeper than 64 levels.
pub fn encode(value: &Value) -> Result<Option<Json>, WireError> {
    match value {
        Value::Undefined => Ok(None),
        value => encode_at(value, 0).map(Some),
    }
}

fn encode_at(value: &Value, depth: usize) -> Result<Json, WireError> {
    Ok(match value {
        Value::Undefined => json!([WIRE_TAG, "undefined"]),
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Number(number) => encode_number(*number),
        Value::BigInt(integer) => json!([WIRE_TAG, "bigint", integer.as_str()]),
        Value::String(text) => Json::String(text.clone()),
        Value::Date(time) => json!([WIRE_TAG, "date", encode_number(*time)]),
        Value::Url(url) => json!([WIRE_TAG, "url", url]),
        Value::Bytes(bytes, None) => json!([WIRE_TAG, "bytes", STANDARD.encode(bytes)]),
        Value::Bytes(bytes, Some(class)) => json!([WIRE_TAG, "bytes", STANDARD.encode(bytes), class]),
        Value::Array(items) => {
            let encoded = encode_items(items, enter(depth)?)?;
            match items.first() {
                Some(Value::String(first)) if first == WIRE_TAG => json!([WIRE_TAG, "arr", encoded]),
                _ => Json::Array(encoded),
            }
        }
        Value::Object(fields) => Json::Object(encode_fields(fields, enter(depth)?)?),
        Value::Map(entries) => {
            let inner = enter(depth)?;
            let entries = entries
                .iter()
                .map(|(key, item)| Ok(Json::Array(vec![encode_at(key, inner)?, encode_at(item, inner)?])))
                .collect::<Result<Vec<_>, WireError>>()?;
            json!([WIRE_TAG, "map", entries])
        }
        Value::Set(items) => json!([WIRE_TAG, "set", encode_items(items, enter(depth)?)?]),
        Value::Error(error) => encode_error(error, enter(depth)?)?,
    })
}

fn enter(depth: usize) -> Result<usize, WireError> {
    if depth < MAX_WIRE_DEPTH {
        Ok(depth + 1)
    } else {
        Err(WireError::TooDeep)
    }
}

fn encode_number(number: f64) -> Json {
    if number.is_nan() {
        return json!([WIRE_TAG, "nan"]);
    }
    if number.is_infinite() {
        return json!([WIRE_TAG, if number > 0.0 { "inf" } else { "-inf" }]);
    }
    if number.fract() == 0.0 && number.abs() <= SAFE_INTEGER {
        // Within 2^53, where every integer has one double; negative zero becomes zero.
        #[allow(clippy::cast_possible_truncation)]
        return Json::Number(Number::from(number as i64));
    }
    Number::from_f64(number).map_or(Json::Null, Json::Number)
}

fn encode_items(items: &[Value], depth: usize) -> Result<Vec<Json>, WireError> {
    items.iter().map(|item| encode_at(item, depth)).collect()
}

fn encode_fields(fields: &[(String, Value)], depth: usize) -> Result<Map<String, Json>, WireError> {
    fields
        .iter()
        .filter(|(_, value)| *value != Value::Undefined)
        .map(|(name, value)| Ok((name.clone(), encode_at(value, depth)?)))
        .collect()
}

fn encode_error(error: &WireErrorValue, depth: usize) -> Result<Json, WireError> {
    let fields = encode_fields(&error.fields, depth)?;
    let mut encoded = vec![
        json!(WIRE_TAG),
        json!("error"),
        json!(error.name),
        json!(error.message),
        Json::Object(fields),
    ];
    if error.cause != Value::Undefined {
        encoded.push(encode_at(&error.cause, depth)?);
    }
    Ok(Json::Array(encoded))
}
