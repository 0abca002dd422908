//! `POST /api/inspect/<operation>`: the worker's admin route of that name, body and answer unchanged.

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Response};
use lunora_diagnostics::{Diagnostic, codes};

use crate::api::Api;
use crate::reply::{Refused, not_found};
use crate::upstream::Upstream;

/// The worker, which there is unless the engine generates code only.
pub(crate) fn upstream(api: &Api) -> Result<&Upstream, Refused> {
    api.upstream
        .as_ref()
        .ok_or_else(|| Diagnostic::error(codes::WORKER_UNAVAILABLE, "the engine runs no worker").into())
}

pub(crate) async fn inspect(
    State(api): State<Api>,
    Path(operation): Path<String>,
    body: Bytes,
) -> Result<Response<Body>, Refused> {
    // A name, and no way to another route.
    let is_name =
        !operation.is_empty() && operation.len() <= 32 && operation.bytes().all(|byte| byte.is_ascii_alphabetic());
    if !is_name {
        return Err(not_found("operations have names of letters"));
    }
    forward(&api, &operation, body).await
}

/// Asks the worker for an operation and answers what it answered.
pub(crate) async fn forward(api: &Api, operation: &str, body: Bytes) -> Result<Response<Body>, Refused> {
    let answer = upstream(api)?.post(&format!("inspect/{operation}"), body).await?;
    let (head, body) = answer.into_parts();
    let mut response = Response::new(Body::new(body));
    *response.status_mut() = head.status;
    // Of the headers only what says how to read the body; what it says is never a page.
    let is_json = head
        .headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
    let content_type = if is_json {
        "application/json"
    } else {
        "application/octet-stream"
    };
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    Ok(response)
}
