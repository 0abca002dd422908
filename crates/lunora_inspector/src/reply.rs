//! Errors as answers, in the envelope that the worker's own have.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use lunora_diagnostics::{CODE_TABLE, Diagnostic, codes};
use serde_json::json;

/// Not among the statuses of the table, which pages carry along: only an inspector answers with them.
const UNAVAILABLE: [lunora_diagnostics::Code; 2] = [codes::INSPECTOR_PAGE_MISSING, codes::WORKER_UNAVAILABLE];

/// `{"error":{"code","message","hint"}}` with the status that the code has.
pub(crate) fn coded(diagnostic: &Diagnostic) -> Response {
    let entry = CODE_TABLE.iter().find(|entry| entry.code == diagnostic.code);
    let hint = diagnostic.help.as_deref().or(entry.map(|entry| entry.help));
    let status = entry
        .and_then(|entry| entry.status)
        .and_then(|status| u16::try_from(status).ok())
        .and_then(|status| StatusCode::from_u16(status).ok())
        .unwrap_or(if UNAVAILABLE.contains(&diagnostic.code) {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            StatusCode::INTERNAL_SERVER_ERROR
        });
    let error = json!({ "code": diagnostic.code, "message": diagnostic.message, "hint": hint });
    (status, Json(json!({ "error": error }))).into_response()
}

/// A refusal inside of a handler.
#[derive(Debug)]
pub(crate) struct Refused(pub Diagnostic);

impl From<Diagnostic> for Refused {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(diagnostic)
    }
}

impl axum::response::IntoResponse for Refused {
    fn into_response(self) -> Response {
        coded(&self.0)
    }
}

pub(crate) fn bad_request(message: impl Into<String>) -> Refused {
    Refused(Diagnostic::error(codes::BAD_REQUEST, message.into()))
}

pub(crate) fn not_found(message: impl Into<String>) -> Refused {
    Refused(Diagnostic::error(codes::NOT_FOUND, message.into()))
}
