//! Nobody gets in over real sockets: wrong heads, paths that lead elsewhere, and what a mutator makes of right ones.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::cast_possible_truncation
)]

mod answers;
mod frames;
mod heads;
mod mutator;
mod paths;
#[path = "../support/mod.rs"]
mod support;

use lunora_inspector::timeline::Limits;
use serde_json::json;
use support::{Running, start};

/// Stands in everything that the inspector holds, and in nothing that it may give away.
pub(crate) const CANARY: &str = "canary-5f1e";

pub(crate) async fn guarded() -> Running {
    let running = start(None, Limits::default()).await;
    running
        .tell(&[json!({ "type": "log", "at": 1, "text": CANARY, "call": CANARY })])
        .await;
    let application = json!({ "jurisdiction": CANARY, "tables": [], "functions": [], "shapes": [], "drift": [] });
    let serde_json::Value::Object(application) = application else {
        panic!()
    };
    running.inspector.set_application(application);
    running
}
