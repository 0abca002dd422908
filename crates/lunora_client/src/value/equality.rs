//! Equality of keys as JavaScript's `Map` and `Set` have it.

use super::Value;

/// What is equal by its content.
#[derive(PartialEq, Eq, Hash)]
pub(super) enum Scalar {
    Undefined,
    Null,
    Bool(bool),
    Number(u64),
    BigInt(String),
    Text(String),
}

/// `None` for what JavaScript compares by identity: decoding makes each of those anew, so none equals another.
pub(super) fn scalar(value: &Value) -> Option<Scalar> {
    Some(match value {
        Value::Undefined => Scalar::Undefined,
        Value::Null => Scalar::Null,
        Value::Bool(value) => Scalar::Bool(*value),
        // One NaN and one zero.
        Value::Number(number) if number.is_nan() => Scalar::Number(f64::NAN.to_bits()),
        Value::Number(number) if *number == 0.0 => Scalar::Number(0),
        Value::Number(number) => Scalar::Number(number.to_bits()),
        Value::BigInt(integer) => Scalar::BigInt(integer.as_str().to_owned()),
        Value::String(text) => Scalar::Text(text.clone()),
        _ => return None,
    })
}
