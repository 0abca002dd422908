//! `/api/faults` and `/api/chaos`: what goes wrong on purpose.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::Response;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::api::Api;
use crate::api::inspect::forward;
use crate::faults::FAULTS;
use crate::reply::{Refused, bad_request};

/// `GET /api/faults`
pub(crate) async fn faults() -> Json<Value> {
    Json(json!({ "faults": FAULTS }))
}

/// `POST /api/faults`: the worker's operation, in the name of whoever asks here.
pub(crate) async fn fault(State(api): State<Api>, body: Bytes) -> Result<Response<Body>, Refused> {
    let mut argument: Map<String, Value> = serde_json::from_slice(&body)
        .map_err(|error| bad_request(format!("a fault is `{{\"fault\": …}}` with what it needs: {error}")))?;
    argument.insert("by".to_owned(), json!({ "kind": "user" }));
    forward(&api, "fault", Value::Object(argument).to_string().into()).await
}

/// A seed, or null for an end.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(deserialize_with = "stated")]
    seed: Option<u64>,
}

/// An option that is not there would else be none.
fn stated<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Option::deserialize(deserializer)
}

/// `POST /api/chaos`
pub(crate) async fn chaos(State(api): State<Api>, body: Bytes) -> Result<Json<Value>, Refused> {
    // By way of a map: a list would be taken as the fields in their order.
    let wanted = serde_json::from_slice(&body)
        .and_then(|map: Map<String, Value>| serde_json::from_value(Value::Object(map)))
        .map_err(|error| bad_request(format!("chaos takes `{{\"seed\": 42}}`, or `null` for an end: {error}")));
    let Wanted { seed } = wanted?;
    Ok(Json(json!({ "chaos": api.chaos.set(seed)? })))
}
