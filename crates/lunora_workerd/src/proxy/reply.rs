//! Answers of the proxy itself, in the envelope that the worker's own errors have.

use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use lunora_diagnostics::{CODE_TABLE, Code, Diagnostic};
use serde_json::json;

use crate::proxy::body::ProxyBody;

/// `{"error":{"code","message","hint"}}` with the status that the table of codes gives.
pub(crate) fn error_reply(diagnostic: &Diagnostic) -> Response<ProxyBody> {
    let entry = CODE_TABLE.iter().find(|entry| entry.code == diagnostic.code);
    let hint = diagnostic.help.as_deref().or(entry.map(|entry| entry.help));
    let text = json!({ "error": { "code": diagnostic.code, "message": diagnostic.message, "hint": hint } }).to_string();
    let mut response = Response::new(ProxyBody::whole(text));
    *response.status_mut() = status(diagnostic.code);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status(diagnostic.code) == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// Build errors have no status of their own: for a client they all mean that nothing serves.
fn status(code: Code) -> StatusCode {
    CODE_TABLE
        .iter()
        .find(|entry| entry.code == code)
        .and_then(|entry| entry.status)
        .and_then(|status| u16::try_from(status).ok())
        .and_then(|status| StatusCode::from_u16(status).ok())
        .unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
}
