//! From JSON to values.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize as _;
use serde_json::Value as Json;

use super::equality::{Scalar, scalar};
use super::{BigInt, MAX_DATE, MAX_WIRE_DEPTH, Value, WIRE_TAG, WireError, WireErrorValue};

/// Deepest nesting of brackets that can stand for [`MAX_WIRE_DEPTH`] levels with room for the frame
/// around them: a level of a map takes three.
const MAX_JSON_DEPTH: usize = 3 * MAX_WIRE_DEPTH + 16;

/// Elements of each class of bytes; other classes are plain bytes.
const ELEMENT_SIZES: [(&str, usize); 11] = [
    ("ArrayBuffer", 1),
    ("Int8Array", 1),
    ("Uint8ClampedArray", 1),
    ("Int16Array", 2),
    ("Uint16Array", 2),
    ("Int32Array", 4),
    ("Uint32Array", 4),
    ("Float32Array", 4),
    ("Float64Array", 8),
    ("BigInt64Array", 8),
    ("BigUint64Array", 8),
];

/// JSON of any depth that a value can have. The depth is looked at before parsing, which recurses.
///
/// # Errors
/// When the text is deeper, or not JSON.
pub fn parse_json(text: &str) -> Result<Json, WireError> {
    if bracket_depth(text.as_bytes()) > MAX_JSON_DEPTH {
        return Err(WireError::TooDeep);
    }
    let mut parser = serde_json::Deserializer::from_str(text);
    parser.disable_recursion_limit();
    let json = Json::deserialize(&mut parser).map_err(|error| malformed(format!("is not JSON: {error}")))?;
    parser
        .end()
        .map_err(|error| malformed(format!("is followed by something else: {error}")))?;
    Ok(json)
}

fn bracket_depth(text: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_text, mut escaped) = (false, false);
    for byte in text {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// The value that JSON stands for. A kind that is not known here stays the array it is.
///
/// # Errors
/// For a known kind with a wrong payload and for a value that is too deep.
pub fn decode(json: &Json) -> Result<Value, WireError> {
    decode_at(json, 0)
}

/// `depth` is the number of containers around the value; tagged scalars are none.
fn decode_at(json: &Json, depth: usize) -> Result<Value, WireError> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => Value::Number(number.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => Value::String(text.clone()),
        Json::Object(fields) => Value::Object(decode_fields(fields, enter(depth)?)?),
        Json::Array(items) if items.first().and_then(Json::as_str) == Some(WIRE_TAG) => decode_tagged(items, depth)?,
        Json::Array(items) => Value::Array(decode_items(items, enter(depth)?)?),
    })
}

fn enter(depth: usize) -> Result<usize, WireError> {
    if depth < MAX_WIRE_DEPTH {
        Ok(depth + 1)
    } else {
        Err(WireError::TooDeep)
    }
}

fn decode_items(items: &[Json], depth: usize) -> Result<Vec<Value>, WireError> {
    items.iter().map(|item| decode_at(item, depth)).collect()
}

/// A field that is `undefined` is not there.
fn decode_fields(fields: &serde_json::Map<String, Json>, depth: usize) -> Result<Vec<(String, Value)>, WireError> {
    let mut decoded = Vec::with_capacity(fields.len());
    for (name, field) in fields {
        match decode_at(field, depth)? {
            Value::Undefined => {}
            value => decoded.push((name.clone(), value)),
        }
    }
    Ok(decoded)
}

fn decode_tagged(tagged: &[Json], depth: usize) -> Result<Value, WireError> {
    let kind = tagged.get(1).and_then(Json::as_str);
    let payload = tagged.get(2).unwrap_or(&Json::Null);
    match kind {
        Some("undefined") => exactly(tagged, 2, Value::Undefined),
        Some("nan") => exactly(tagged, 2, Value::Number(f64::NAN)),
        Some("inf") => exactly(tagged, 2, Value::Number(f64::INFINITY)),
        Some("-inf") => exactly(tagged, 2, Value::Number(f64::NEG_INFINITY)),
        Some("bigint") => exactly(tagged, 3, decode_bigint(payload)?),
        Some("date") => exactly(tagged, 3, decode_date(payload)?),
        Some("url") => exactly(tagged, 3, decode_url(payload)?),
        Some("arr") => exactly(
            tagged,
            3,
            Value::Array(decode_items(array_of("arr", payload)?, enter(depth)?)?),
        ),
        Some("set") => exactly(tagged, 3, decode_set(payload, enter(depth)?)?),
        Some("map") => exactly(tagged, 3, decode_map(payload, enter(depth)?)?),
        Some("bytes") => decode_bytes(tagged),
        Some("error") => decode_error(tagged, enter(depth)?),
        _ => Ok(Value::Array(decode_items(tagged, enter(depth)?)?)),
    }
}

fn exactly(tagged: &[Json], length: usize, value: Value) -> Result<Value, WireError> {
    if tagged.len() == length {
        return Ok(value);
    }
    Err(malformed(format!(
        "of kind {} has {} elements instead of {length}",
        tagged[1],
        tagged.len()
    )))
}

fn array_of<'json>(kind: &str, payload: &'json Json) -> Result<&'json [Json], WireError> {
    payload
        .as_array()
        .map(Vec::as_slice)
        .ok_or_else(|| malformed(format!("of kind `{kind}` holds no array")))
}

fn decode_bigint(payload: &Json) -> Result<Value, WireError> {
    payload
        .as_str()
        .and_then(BigInt::parse)
        .map(Value::BigInt)
        .ok_or_else(|| malformed("of kind `bigint` is not a decimal of at most 1024 digits"))
}

fn decode_date(payload: &Json) -> Result<Value, WireError> {
    if let Some(time) = payload.as_f64() {
        let is_date = time.abs() <= MAX_DATE;
        return Ok(Value::Date(if is_date { time.trunc() + 0.0 } else { f64::NAN }));
    }
    // An invalid date: its time travels as a tagged number.
    let is_non_finite = payload.as_array().is_some_and(|items| {
        items.len() == 2 && items[0] == WIRE_TAG && matches!(items[1].as_str(), Some("nan" | "inf" | "-inf"))
    });
    if is_non_finite {
        Ok(Value::Date(f64::NAN))
    } else {
        Err(malformed("of kind `date` holds no number"))
    }
}

fn decode_url(payload: &Json) -> Result<Value, WireError> {
    payload
        .as_str()
        .and_then(|text| url::Url::parse(text).ok())
        .map(|url| Value::Url(url.into()))
        .ok_or_else(|| malformed("of kind `url` is not an absolute URL"))
}

fn decode_set(payload: &Json, depth: usize) -> Result<Value, WireError> {
    let mut seen = std::collections::HashSet::new();
    let mut items = Vec::new();
    for item in array_of("set", payload)? {
        let item = decode_at(item, depth)?;
        if scalar(&item).is_none_or(|key| seen.insert(key)) {
            items.push(item);
        }
    }
    Ok(Value::Set(items))
}

/// Of two equal keys the last value wins at the first position.
fn decode_map(payload: &Json, depth: usize) -> Result<Value, WireError> {
    let mut positions: HashMap<Scalar, usize> = HashMap::new();
    let mut entries: Vec<(Value, Value)> = Vec::new();
    for entry in array_of("map", payload)? {
        let Some([key, value]) = entry.as_array().map(Vec::as_slice) else {
            return Err(malformed("of kind `map` has an entry that is not a pair"));
        };
        let (key, value) = (decode_at(key, depth)?, decode_at(value, depth)?);
        let position = scalar(&key).map(|key| *positions.entry(key).or_insert(entries.len()));
        match position.and_then(|position| entries.get_mut(position)) {
            Some(entry) => entry.1 = value,
            None => entries.push((key, value)),
        }
    }
    Ok(Value::Map(entries))
}

fn decode_bytes(tagged: &[Json]) -> Result<Value, WireError> {
    if tagged.len() > 4 {
        return Err(malformed("of kind `bytes` has more than four elements"));
    }
    let class = match tagged.get(3) {
        None | Some(Json::Null) => None,
        Some(Json::String(class)) => Some(class.as_str()),
        Some(_) => return Err(malformed("of kind `bytes` has a name that is not text")),
    };
    let bytes = tagged
        .get(2)
        .and_then(Json::as_str)
        .and_then(|text| STANDARD.decode(text).ok())
        .ok_or_else(|| malformed("of kind `bytes` is not padded base64"))?;
    let known = ELEMENT_SIZES.iter().find(|(name, _)| class == Some(*name));
    match known {
        Some((name, size)) if bytes.len() % size != 0 => Err(malformed(format!(
            "of kind `bytes` is not a whole number of elements of `{name}`"
        ))),
        Some((name, _)) => Ok(Value::Bytes(bytes, Some((*name).to_owned()))),
        None => Ok(Value::Bytes(bytes, None)),
    }
}

fn decode_error(tagged: &[Json], depth: usize) -> Result<Value, WireError> {
    if !(5..=6).contains(&tagged.len()) {
        return Err(malformed("of kind `error` has neither five nor six elements"));
    }
    let (Some(name), Some(message)) = (tagged[2].as_str(), tagged[3].as_str()) else {
        return Err(malformed("of kind `error` has a name or message that is not text"));
    };
    let Some(fields) = tagged[4].as_object() else {
        return Err(malformed("of kind `error` has no object of fields"));
    };
    let cause = tagged
        .get(5)
        .map_or(Ok(Value::Undefined), |cause| decode_at(cause, depth))?;
    let mut fields = decode_fields(fields, depth)?;
    fields.retain(|(name, _)| !matches!(name.as_str(), "name" | "message" | "stack" | "cause"));
    Ok(Value::Error(Box::new(WireErrorValue {
        name: name.to_owned(),
        message: message.to_owned(),
        fields,
        cause,
    })))
}

fn malformed(why: impl Into<String>) -> WireError {
    WireError::Malformed(why.into())
}
