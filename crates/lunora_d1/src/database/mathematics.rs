//! The mathematical functions of D1, which this build of SQLite lacks.
//!
//! An argument that is no number, and a result that is none, is NULL.

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Result};

const FLAGS: FunctionFlags = FunctionFlags::SQLITE_DETERMINISTIC
    .union(FunctionFlags::SQLITE_UTF8)
    .union(FunctionFlags::SQLITE_INNOCUOUS);

type OneArgument = fn(f64) -> f64;
type TwoArguments = fn(f64, f64) -> f64;

const ONE_ARGUMENT: &[(&str, OneArgument)] = &[
    ("acos", f64::acos),
    ("acosh", f64::acosh),
    ("asin", f64::asin),
    ("asinh", f64::asinh),
    ("atan", f64::atan),
    ("atanh", f64::atanh),
    ("cos", f64::cos),
    ("cosh", f64::cosh),
    ("degrees", |angle| angle * (180.0 / std::f64::consts::PI)),
    ("exp", f64::exp),
    ("ln", |number| logarithm(number, f64::ln)),
    ("log", |number| logarithm(number, f64::log10)),
    ("log2", |number| logarithm(number, f64::log2)),
    ("radians", |angle| angle * (std::f64::consts::PI / 180.0)),
    ("sin", f64::sin),
    ("sinh", f64::sinh),
    ("sqrt", f64::sqrt),
    ("tan", f64::tan),
    ("tanh", f64::tanh),
];

const TWO_ARGUMENTS: &[(&str, TwoArguments)] = &[
    ("atan2", f64::atan2),
    ("log", |base, number| {
        let base = logarithm(base, f64::ln);
        if base > 0.0 {
            logarithm(number, f64::ln) / base
        } else {
            f64::NAN
        }
    }),
    ("mod", |one, other| one % other),
    ("pow", f64::powf),
];

/// These leave an integer one.
const ROUNDING: &[(&str, OneArgument)] = &[("ceil", f64::ceil), ("floor", f64::floor), ("trunc", f64::trunc)];

fn logarithm(number: f64, function: fn(f64) -> f64) -> f64 {
    if number > 0.0 { function(number) } else { f64::NAN }
}

/// Gives a connection the functions.
pub(crate) fn install(connection: &Connection) -> Result<()> {
    connection.create_scalar_function("pi", 0, FLAGS, |_| Ok(std::f64::consts::PI))?;
    for &(name, function) in ONE_ARGUMENT {
        connection.create_scalar_function(name, 1, FLAGS, move |context| {
            Ok(number(context, 0).map(function).filter(|result| !result.is_nan()))
        })?;
    }
    for &(name, function) in TWO_ARGUMENTS {
        connection.create_scalar_function(name, 2, FLAGS, move |context| {
            let both = number(context, 0).zip(number(context, 1));
            Ok(both
                .map(|(one, other)| function(one, other))
                .filter(|result| !result.is_nan()))
        })?;
    }
    for &(name, function) in ROUNDING {
        connection.create_scalar_function(name, 1, FLAGS, move |context| {
            Ok(match numeric(context, 0) {
                Value::Real(number) => Value::Real(function(number)),
                other => other,
            })
        })?;
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss)]
fn number(context: &Context<'_>, index: usize) -> Option<f64> {
    match numeric(context, index) {
        Value::Integer(number) => Some(number as f64),
        Value::Real(number) => Some(number),
        _ => None,
    }
}

/// A number as it is, or as a text says it.
fn numeric(context: &Context<'_>, index: usize) -> Value {
    match context.get_raw(index) {
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => of_text(text),
        ValueRef::Null | ValueRef::Blob(_) => Value::Null,
    }
}

fn of_text(text: &[u8]) -> Value {
    let text = str::from_utf8(text).unwrap_or_default().trim();
    // Rust's own parser knows `inf` and `nan` besides.
    if !text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte))
    {
        return Value::Null;
    }
    let integer = text.parse().map(Value::Integer);
    integer
        .or_else(|_| text.parse().map(Value::Real))
        .unwrap_or(Value::Null)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn as_sqlite_does() {
        let connection = Connection::open_in_memory().unwrap();
        install(&connection).unwrap();
        for (expression, expected) in [
            ("sqrt(4)", "2.0"),
            ("sqrt(-1)", "NULL"),
            ("sqrt('9')", "3.0"),
            ("sqrt('x')", "NULL"),
            ("sqrt(' inf ')", "NULL"),
            ("sqrt(NULL)", "NULL"),
            ("sqrt(x'39')", "NULL"),
            ("pow(2, 3)", "8.0"),
            ("mod(7, 4)", "3.0"),
            ("mod(7, 0)", "NULL"),
            ("ceil(1.2)", "2.0"),
            ("ceil(1)", "1"),
            ("floor('1.7')", "1.0"),
            ("trunc(-1.7)", "-1.0"),
            ("ln(0)", "NULL"),
            ("log(100)", "2.0"),
            ("log(2, 8)", "3.0"),
            ("log(1, 8)", "NULL"),
            ("log2(8)", "3.0"),
            ("round(pi(), 4)", "3.1416"),
            ("degrees(pi())", "180.0"),
        ] {
            let found: String = connection
                .query_row(&format!("SELECT quote({expression})"), [], |row| row.get(0))
                .unwrap();
            assert_eq!(found, expected, "{expression}");
        }
    }
}
