//! What a request is answered with when it fails. workerd's binding throws `D1_ERROR: <text>` for it.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use lunora_diagnostics::{Code, codes};
use rusqlite::ffi;
use serde_json::json;

use crate::result_codes::{extended_name, primary_name};

/// A text that ends with a stable code, SQLite's (`no such table: a: SQLITE_ERROR`) or ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub status: StatusCode,
    pub text: String,
}

impl Failure {
    /// Of ours, with a code of the table.
    pub fn refused(code: Code, text: impl std::fmt::Display) -> Self {
        let status = match code {
            codes::PAYLOAD_TOO_LARGE => StatusCode::PAYLOAD_TOO_LARGE,
            codes::NOT_FOUND => StatusCode::NOT_FOUND,
            codes::METHOD_NOT_ALLOWED => StatusCode::METHOD_NOT_ALLOWED,
            codes::INTERNAL => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        Self {
            status,
            text: format!("{text}: {code}"),
        }
    }

    /// There is nothing to run; D1's own text, which has no code.
    pub fn nothing() -> Self {
        Self {
            status: StatusCode::OK,
            text: "No SQL statements detected.".to_owned(),
        }
    }

    /// The statement cannot be run, by a rule that D1 has beside SQLite's.
    pub fn statement(text: impl std::fmt::Display) -> Self {
        Self {
            status: StatusCode::OK,
            text: format!("{text}: SQLITE_ERROR"),
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        let text = match error {
            rusqlite::Error::SqlInputError { error, msg, offset, .. } if offset >= 0 => {
                format!("{msg} at offset {offset}: {}", code_of(error))
            }
            rusqlite::Error::SqlInputError { error, msg, .. } => format!("{msg}: {}", code_of(error)),
            rusqlite::Error::SqliteFailure(error, Some(message)) => format!("{message}: {}", code_of(error)),
            rusqlite::Error::SqliteFailure(error, None) => {
                format!("{}: {}", ffi::code_to_str(error.extended_code), code_of(error))
            }
            other => format!("{other}: {}", codes::INTERNAL),
        };
        Self {
            status: StatusCode::OK,
            text,
        }
    }
}

/// `SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)`.
fn code_of(error: ffi::Error) -> String {
    let extended = error.extended_code;
    let primary = primary_name(extended);
    match extended_name(extended) {
        Some(name) => format!("{primary} (extended: {name})"),
        None => primary.to_owned(),
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = json!({ "success": false, "error": self.text });
        (self.status, Json(body)).into_response()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn text(sql: &str) -> String {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (a UNIQUE)").unwrap();
        Failure::from(connection.execute_batch(sql).unwrap_err()).text
    }

    #[test]
    fn the_text_ends_with_the_code() {
        assert_eq!(text("SELECT * FROM nosuch"), "no such table: nosuch: SQLITE_ERROR");
        assert_eq!(text("SELECT b FROM t"), "no such column: b at offset 7: SQLITE_ERROR");
        assert_eq!(
            text("INSERT INTO t VALUES (1), (1)"),
            "UNIQUE constraint failed: t.a: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)"
        );
        let refused = Failure::refused(codes::PAYLOAD_TOO_LARGE, "too much");
        assert_eq!(
            (refused.status.as_u16(), refused.text.as_str()),
            (413, "too much: PAYLOAD_TOO_LARGE")
        );
    }
}
