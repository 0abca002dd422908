//! Names of Durable Objects and the shard that an id carries.
//!
//! Golden fixtures shared with the TypeScript implementation: `tests/fixtures/addressing.json`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use thiserror::Error;

/// The object that holds every table without a tier modifier.
pub const ROOT_OBJECT: &str = "__root__";

/// Longest shard value, in bytes of UTF-8.
pub const MAX_SHARD_VALUE_BYTES: usize = 512;

/// What JavaScript's `encodeURIComponent` leaves alone.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// Why a shard value cannot name an object.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ObjectNameError {
    /// The empty string names nothing.
    #[error("a shard value must not be empty")]
    Empty,
    /// Longer than [`MAX_SHARD_VALUE_BYTES`].
    #[error("a shard value has at most {MAX_SHARD_VALUE_BYTES} bytes of UTF-8, this one has {0}")]
    TooLong(usize),
    /// Not base64url of UTF-8.
    #[error("the shard part of the id is not base64url of UTF-8")]
    Malformed,
}

fn check(value: &str) -> Result<(), ObjectNameError> {
    match value.len() {
        0 => Err(ObjectNameError::Empty),
        length if length > MAX_SHARD_VALUE_BYTES => Err(ObjectNameError::TooLong(length)),
        _ => Ok(()),
    }
}

/// `<field>=<percent-encoded value>`: the name of the object that holds the shard.
///
/// # Errors
/// When the value is empty or too long.
pub fn object_name(field: &str, value: &str) -> Result<String, ObjectNameError> {
    check(value)?;
    Ok(format!("{field}={}", utf8_percent_encode(value, UNRESERVED)))
}

/// The canonical text of a number used as a shard value: ECMAScript's `String(number)`, with
/// negative zero as `0`. `None` when the number is not finite.
#[must_use]
pub fn shard_number_text(value: f64) -> Option<String> {
    if !value.is_finite() {
        return None;
    }
    let value = if value == 0.0 { 0.0 } else { value };
    Some(ryu_js::Buffer::new().format_finite(value).to_owned())
}

/// Appends the shard to the random part of an id: `<random>.<base64url of the value>`.
///
/// # Errors
/// When the value is empty or too long.
pub fn encode_id_shard(random: &str, value: &str) -> Result<String, ObjectNameError> {
    check(value)?;
    Ok(format!("{random}.{}", URL_SAFE_NO_PAD.encode(value)))
}

/// The shard value an id carries; `None` for the id of an unsharded table.
///
/// # Errors
/// When the part after the dot is not canonical base64url of a valid shard value.
pub fn decode_id_shard(id: &str) -> Result<Option<String>, ObjectNameError> {
    let Some((_, encoded)) = id.split_once('.') else {
        return Ok(None);
    };
    let bytes = URL_SAFE_NO_PAD
        .decode(encoded)
        .map_err(|_| ObjectNameError::Malformed)?;
    let value = String::from_utf8(bytes).map_err(|_| ObjectNameError::Malformed)?;
    check(&value)?;
    Ok(Some(value))
}
