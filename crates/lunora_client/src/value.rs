//! Values as they travel: JSON, and tagged arrays for what JSON cannot hold.

mod decode;
mod encode;
mod equality;

pub use decode::{decode, parse_json};
pub use encode::encode;

use thiserror::Error;

/// First element of every tagged array.
pub const WIRE_TAG: &str = "$lunora.wire$";

/// Deepest nesting of arrays, objects, maps, sets and errors.
pub const MAX_WIRE_DEPTH: usize = 64;

/// Longest bigint, decimal digits.
pub const MAX_BIGINT_DIGITS: usize = 1024;

/// Latest and (negative) earliest time that a date can hold, milliseconds.
const MAX_DATE: f64 = 8.64e15;

/// A value of the wire.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Absent; in an object such a field does not travel.
    Undefined,
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// A double, NaN and the infinities among them.
    Number(f64),
    /// An integer of any size.
    BigInt(BigInt),
    /// Text.
    String(String),
    /// Milliseconds since 1970, whole; NaN for an invalid date.
    Date(f64),
    /// An absolute URL in its normal form.
    Url(String),
    /// Bytes, and the class that a JavaScript peer gives them: `None` for `Uint8Array`.
    Bytes(Vec<u8>, Option<String>),
    /// An array.
    Array(Vec<Value>),
    /// Fields in their order, each name once.
    Object(Vec<(String, Value)>),
    /// Entries in their order; keys are compared as JavaScript's `Map` does.
    Map(Vec<(Value, Value)>),
    /// Items in their order, each once.
    Set(Vec<Value>),
    /// An error without its stack.
    Error(Box<WireErrorValue>),
}

/// An error as a value: what a peer threw or stored.
#[derive(Debug, Clone, PartialEq)]
pub struct WireErrorValue {
    /// Its class, as it calls itself.
    pub name: String,
    /// Its text.
    pub message: String,
    /// Own fields in their order.
    pub fields: Vec<(String, Value)>,
    /// What it was caused by; [`Value::Undefined`] for nothing.
    pub cause: Value,
}

/// Decimal digits without leading zeros, with `-` for what is below zero.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BigInt(String);

impl BigInt {
    /// The integer that `[-]digits` stands for; `None` for anything else and beyond
    /// [`MAX_BIGINT_DIGITS`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
        let is_decimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !is_decimal || digits.len() > MAX_BIGINT_DIGITS {
            return None;
        }
        let digits = digits.trim_start_matches('0');
        Some(Self(if digits.is_empty() {
            "0".to_owned()
        } else {
            format!("{sign}{digits}")
        }))
    }

    /// The decimal text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<i64> for BigInt {
    fn from(value: i64) -> Self {
        Self(value.to_string())
    }
}

/// Why something is no value of the wire.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WireError {
    /// A known kind with a wrong payload, or text that is not JSON.
    #[error("A wire value {0}")]
    Malformed(String),
    /// Deeper than [`MAX_WIRE_DEPTH`].
    #[error("A value on the wire has at most {MAX_WIRE_DEPTH} levels; this one has more")]
    TooDeep,
}

impl WireError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => lunora_diagnostics::codes::WIRE_MALFORMED.as_str(),
            Self::TooDeep => lunora_diagnostics::codes::WIRE_TOO_DEEP.as_str(),
        }
    }
}

impl Value {
    /// A field of an object.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(fields) => fields.iter().find(|(field, _)| field == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text of a [`Value::String`].
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number of a [`Value::Number`].
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }
}

/// An object of the given fields.
#[must_use]
pub fn object<Name: Into<String>, Item: Into<Value>>(fields: impl IntoIterator<Item = (Name, Item)>) -> Value {
    Value::Object(
        fields
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect(),
    )
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
