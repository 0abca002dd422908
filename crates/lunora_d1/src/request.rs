//! What the binding asks.

use std::fmt;
use std::ops::Range;

use lunora_diagnostics::codes;
use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef};
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

use crate::failure::Failure;
use crate::sql_text::{first_word, statements};
use crate::surrogates;

/// How rows are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowsFormat {
    /// `{"columns":["a"],"rows":[[1]]}`
    RowsAndColumns,
    /// `[{"a":1}]`
    Objects,
}

/// One text with its parameters: what `prepare(…).bind(…)` is.
#[derive(Debug, PartialEq)]
pub(crate) struct Query {
    pub text: String,
    /// The statements within the text, one or more.
    pub statements: Vec<Range<usize>>,
    /// Of the last statement.
    pub parameters: Vec<Parameter>,
}

/// Everything that is run in one transaction.
#[derive(Debug, PartialEq)]
pub(crate) struct Request {
    pub queries: Vec<Query>,
    pub format: RowsFormat,
}

/// A value of JavaScript as the binding sends it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Parameter {
    Null,
    /// Every number is a double, as in JavaScript; a column's affinity makes it an integer.
    Number(f64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Request {
    /// Reads a body: `{sql, params}`, or an array of them. Queries without a statement (comments) are left out.
    pub fn read(body: &[u8], format: RowsFormat) -> Result<Self, Failure> {
        let sent = match parse(body) {
            // A half of a character is the one thing that JSON.stringify writes and UTF-8 cannot hold.
            Err(error) => match surrogates::replaced(body) {
                Some(body) => parse(&body),
                None => Err(error),
            },
            sent => sent,
        };
        let sent = sent.map_err(|error| {
            let text = format!("the body is not `{{sql, params}}` nor an array of them: {error}");
            Failure::refused(codes::BAD_REQUEST, text)
        })?;
        if sent.iter().any(|query| query.sql.contains('\0')) {
            let text =
                "a statement has a NUL character, behind which SQLite would read nothing; bind it as a parameter";
            return Err(Failure::statement(text));
        }
        let queries: Vec<Query> = sent.into_iter().filter_map(Query::of).collect();
        if queries.is_empty() {
            return Err(Failure::nothing());
        }
        Ok(Self { queries, format })
    }

    /// The first words of all its statements.
    pub fn first_words(&self) -> impl Iterator<Item = String> {
        self.queries.iter().flat_map(|query| {
            query
                .statements
                .iter()
                .map(|range| first_word(&query.text[range.clone()]))
        })
    }
}

impl Query {
    fn of(sent: Sent) -> Option<Self> {
        let statements = statements(&sent.sql);
        (!statements.is_empty()).then_some(Self {
            text: sent.sql,
            statements,
            parameters: sent.params.unwrap_or_default(),
        })
    }
}

#[derive(Deserialize)]
struct Sent {
    sql: String,
    params: Option<Vec<Parameter>>,
}

fn parse(body: &[u8]) -> serde_json::Result<Vec<Sent>> {
    if body.trim_ascii_start().starts_with(b"[") {
        serde_json::from_slice(body)
    } else {
        Ok(vec![serde_json::from_slice(body)?])
    }
}

impl ToSql for Parameter {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Number(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl<'de> Deserialize<'de> for Parameter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ParameterVisitor)
    }
}

struct ParameterVisitor;

// Numbers are doubles in JavaScript: what a `u64` cannot say as one was not sent by it.
#[allow(clippy::cast_precision_loss)]
impl<'de> Visitor<'de> for ParameterVisitor {
    type Value = Parameter;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("null, a number, a text or an array of bytes")
    }

    fn visit_unit<E: Error>(self) -> Result<Parameter, E> {
        Ok(Parameter::Null)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Parameter, E> {
        Ok(Parameter::Number(number as f64))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Parameter, E> {
        Ok(Parameter::Number(number as f64))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Parameter, E> {
        Ok(Parameter::Number(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Parameter, E> {
        Ok(Parameter::Text(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Parameter, E> {
        Ok(Parameter::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Parameter, A::Error> {
        let mut bytes = Vec::new();
        while let Some(number) = elements.next_element::<f64>()? {
            if !(0.0..256.0).contains(&number) {
                return Err(A::Error::custom(format_args!("`{number}` is not a byte")));
            }
            // The binding lets fractions pass, and a byte of JavaScript has none.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            bytes.push(number as u8);
        }
        Ok(Parameter::Bytes(bytes))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Request, Failure> {
        Request::read(body.as_bytes(), RowsFormat::Objects)
    }

    fn parameters(json: &str) -> Result<Vec<Parameter>, Failure> {
        let request = read(&format!(r#"{{"sql":"SELECT 1","params":{json}}}"#))?;
        Ok(request.queries.into_iter().next().unwrap().parameters)
    }

    #[test]
    fn one_and_many_without_what_is_only_comments() {
        let one = read(r#" {"sql":"SELECT 1; SELECT 2"}"#).unwrap();
        assert_eq!(one.queries.len(), 1);
        assert_eq!(one.queries[0].statements, [0..8, 10..18]);
        let many = read(r#"[{"sql":"-- nothing"},{"sql":"SELECT 1","params":[1]},{"sql":"insert"}]"#).unwrap();
        assert_eq!(many.first_words().collect::<Vec<_>>(), ["SELECT", "INSERT"]);
        for nothing in [r#"{"sql":""}"#, "[]", r#"[{"sql":";"},{"sql":"-- x"}]"#] {
            assert_eq!(read(nothing).unwrap_err().text, "No SQL statements detected.");
        }
    }

    #[test]
    fn a_text_that_sqlite_would_cut_short_is_refused() {
        let failure = read(r#"{"sql":"SELECT 1 -- \u0000\n, 2"}"#).unwrap_err();
        assert!(
            failure.text.starts_with("a statement has a NUL character"),
            "{}",
            failure.text
        );
        assert!(read(r#"{"sql":"SELECT ?","params":["\u0000"]}"#).is_ok());
    }

    #[test]
    fn values_of_javascript() {
        use Parameter::{Bytes, Null, Number, Text};
        assert_eq!(
            parameters(r#"[null, 1, -1.5, 9007199254740993, "ä", [], [0, 255, 1.9]]"#).unwrap(),
            [
                Null,
                Number(1.0),
                Number(-1.5),
                Number(9_007_199_254_740_992.0),
                Text("ä".to_owned()),
                Bytes(vec![]),
                Bytes(vec![0, 255, 1])
            ]
        );
        assert_eq!(parameters("null").unwrap(), []);
        assert_eq!(parameters(r#"["\ud800"]"#).unwrap(), [Text("\u{fffd}".to_owned())]);
    }

    #[test]
    fn what_is_none_says_why() {
        for body in [
            "",
            "{",
            "null",
            "{}",
            "[1]",
            r#"{"sql":5}"#,
            r#""SELECT 1""#,
            "[[]]",
            "\u{0}",
        ] {
            let failure = read(body).unwrap_err();
            assert_eq!(failure.status.as_u16(), 400, "{body}");
            assert!(failure.text.ends_with(": BAD_REQUEST"), "{}", failure.text);
        }
        for json in [
            "[true]",
            "[{}]",
            r#"[["b"]]"#,
            "[[256]]",
            "[[-1]]",
            "[[[]]]",
            "{}",
            r#""a""#,
        ] {
            assert_eq!(parameters(json).unwrap_err().status.as_u16(), 400, "{json}");
        }
        assert!(parameters("[[256]]").unwrap_err().text.contains("`256` is not a byte"));
    }
}
