//! What goes wrong with a mail, as a value and as an answer.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use lunora_diagnostics::{Code, Diagnostic, codes};
use serde_json::json;

/// The message or its description is not what it has to be.
pub(crate) fn invalid(message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(codes::MAIL_INVALID, message)
}

/// A limit is exceeded.
pub(crate) fn too_large(message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(codes::MAIL_TOO_LARGE, message)
}

/// The disk does not take or give it.
pub(crate) fn not_kept(doing: &str, error: &std::io::Error) -> Diagnostic {
    Diagnostic::error(codes::MAIL_NOT_KEPT, format!("{doing}: {error}"))
        .with_help("Make room on the disk, or empty the inbox with `lunora mail clear --yes`.")
}

pub(crate) fn not_found(what: &str) -> Diagnostic {
    Diagnostic::error(codes::NOT_FOUND, format!("there is no {what}"))
        .with_help("It may have been deleted, or been let go of for newer mails.")
}

/// A diagnostic as the answer of a route.
#[derive(Debug)]
pub(crate) struct Refusal(pub Diagnostic);

impl From<Diagnostic> for Refusal {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(diagnostic)
    }
}

fn status(code: Code) -> StatusCode {
    match code {
        codes::MAIL_INVALID | codes::BAD_REQUEST => StatusCode::BAD_REQUEST,
        codes::NOT_FOUND => StatusCode::NOT_FOUND,
        codes::MAIL_TOO_LARGE => StatusCode::PAYLOAD_TOO_LARGE,
        codes::MAIL_NOT_KEPT => StatusCode::INSUFFICIENT_STORAGE,
        codes::MAIL_NO_HANDLER => StatusCode::NOT_IMPLEMENTED,
        codes::MAIL_NOT_DELIVERED => StatusCode::BAD_GATEWAY,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(diagnostic) = self;
        let mut error = json!({ "code": diagnostic.code, "message": diagnostic.message });
        if let Some(help) = diagnostic.help {
            error["hint"] = help.into();
        }
        (status(diagnostic.code), Json(json!({ "error": error }))).into_response()
    }
}
