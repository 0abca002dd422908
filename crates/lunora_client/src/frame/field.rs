//! Fields of frames: what is there has its type, and `null` is not "absent".

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

/// Integers of frames are those that a JavaScript number holds exactly.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// An optional field that is there: `null` only where the type has one.
pub(super) fn present<'de, Field, Source>(source: Source) -> Result<Option<Field>, Source::Error>
where
    Field: Deserialize<'de>,
    Source: Deserializer<'de>,
{
    Field::deserialize(source).map(Some)
}

/// A whole number from 0, however JSON writes it.
pub(super) fn integer<'de, Source: Deserializer<'de>>(source: Source) -> Result<u64, Source::Error> {
    let number = f64::deserialize(source)?;
    if number.fract() != 0.0 || !(0.0..=MAX_SAFE_INTEGER).contains(&number) {
        return Err(Source::Error::custom(format!("`{number}` is no whole number from 0")));
    }
    // Checked above.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Ok(number as u64)
}

/// The same where the field may be absent.
pub(super) fn some_integer<'de, Source: Deserializer<'de>>(source: Source) -> Result<Option<u64>, Source::Error> {
    integer(source).map(Some)
}

/// Longest id, name or topic, UTF-16 code units.
const NAME_LENGTH: usize = 1024;

/// An id, a name, a topic.
pub(super) fn name<'de, Source: Deserializer<'de>>(source: Source) -> Result<String, Source::Error> {
    let text = String::deserialize(source)?;
    let length = text.encode_utf16().count();
    if (1..=NAME_LENGTH).contains(&length) {
        return Ok(text);
    }
    Err(Source::Error::custom(format!(
        "a name has 1 to {NAME_LENGTH} characters, this one has {length}"
    )))
}

/// The same where the field may be absent.
pub(super) fn some_name<'de, Source: Deserializer<'de>>(source: Source) -> Result<Option<String>, Source::Error> {
    name(source).map(Some)
}

/// Arguments.
pub(super) fn object<'de, Source: Deserializer<'de>>(source: Source) -> Result<Json, Source::Error> {
    match Json::deserialize(source)? {
        object @ Json::Object(_) => Ok(object),
        _ => Err(Source::Error::custom("arguments are an object")),
    }
}

/// The same where the field may be absent.
pub(super) fn some_object<'de, Source: Deserializer<'de>>(source: Source) -> Result<Option<Json>, Source::Error> {
    object(source).map(Some)
}
