//! Operators over constants.

use crate::link::value::Value;

pub(super) fn number_is(number: f64, index: usize) -> bool {
    u32::try_from(index).is_ok_and(|index| f64::from(index) == number)
}

pub(super) fn arithmetic(operator: &str, left: &Value, right: &Value) -> Option<Value> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            let value = match operator {
                "+" => left + right,
                "-" => left - right,
                "*" => left * right,
                "/" => left / right,
                "%" => left % right,
                "**" => left.powf(*right),
                _ => return None,
            };
            Some(Value::Number(value))
        }
        (Value::String(left), Value::String(right)) if operator == "+" => {
            Some(Value::String(format!("{left}{right}").into()))
        }
        _ => None,
    }
}
