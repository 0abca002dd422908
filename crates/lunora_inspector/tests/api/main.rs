//! The API as its users see it, over real sockets.

#![allow(clippy::unwrap_used, clippy::panic)]

mod app;
mod feed;
mod mail;
mod operations;
mod running;
#[path = "../support/mod.rs"]
mod support;
mod timeline;
mod worker;

use serde_json::Value;
use support::{Running, conforms};

pub(crate) async fn good(running: &Running, path: &str, schema: &str) -> Value {
    let answer = running.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    let value = answer.json();
    conforms(schema, &value);
    value
}

pub(crate) fn numbers(page: &Value) -> Vec<u64> {
    let events = page["events"].as_array().unwrap();
    events.iter().map(|event| event["n"].as_u64().unwrap()).collect()
}
