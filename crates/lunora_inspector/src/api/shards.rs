//! `GET /api/shards`: the registry's names, with what the timeline knows of each.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Response, Uri};
use axum::response::IntoResponse as _;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use lunora_diagnostics::{Diagnostic, codes};
use serde_json::{Value, json};

use crate::api::Api;
use crate::api::inspect::upstream;
use crate::api::query::Fields;
use crate::reply::Refused;

/// Names of one answer.
const MOST: u64 = 200;
/// Bytes of one answer of the worker that is read here.
const LONGEST: usize = 4 * 1024 * 1024;

/// The body of an answer of the worker, as JSON.
pub(crate) async fn json_of(answer: Response<Incoming>) -> Result<(hyper::StatusCode, Value), Refused> {
    let status = answer.status();
    let unread = |why: String| {
        let message = format!("the app's worker answered with what is no JSON ({status}): {why}");
        Refused(Diagnostic::error(codes::WORKER_UNAVAILABLE, message))
    };
    let body = Limited::new(answer.into_body(), LONGEST).collect().await;
    let body = body.map_err(|error| unread(error.to_string()))?.to_bytes();
    let value = serde_json::from_slice(&body).map_err(|error| unread(error.to_string()))?;
    Ok((status, value))
}

pub(crate) async fn shards(State(api): State<Api>, uri: Uri) -> Result<Response<Body>, Refused> {
    let fields = Fields::of(&uri, &["cursor", "limit", "search"])?;
    let mut argument = json!({ "limit": fields.number("limit", MOST)?.unwrap_or(MOST) });
    for name in ["cursor", "search"] {
        if let Some(text) = fields.text(name) {
            argument[name] = text.into();
        }
    }
    let body = Bytes::from(argument.to_string());
    let (status, mut answer) = json_of(upstream(&api)?.post("inspect/shards", body).await?).await?;
    if !status.is_success() {
        return Ok((status, axum::Json(answer)).into_response());
    }
    let mut page = answer.get_mut("value").map(Value::take).unwrap_or_default();
    let now = api.hub.now();
    let timeline = api.hub.timeline();
    for shard in page
        .get_mut("shards")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let known = shard
            .get("name")
            .and_then(Value::as_str)
            .and_then(|name| timeline.activity(name, now));
        if let Some(shard) = shard.as_object_mut() {
            shard.insert("activity".to_owned(), json!(known));
        }
    }
    Ok(axum::Json(page).into_response())
}
