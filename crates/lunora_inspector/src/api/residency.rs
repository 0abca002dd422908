//! `GET /api/residency`: what `lunora residency --json` says, of this server alone.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use lunora_diagnostics::{Diagnostic, codes};
use serde_json::{Value, json};

use crate::api::Api;
use crate::api::shards::json_of;
use crate::reply::Refused;

/// What is known without asking a server: declarations, and bytes on disk. Reads the disk.
pub type ResidencySource = Arc<dyn Fn() -> Result<Value, Diagnostic> + Send + Sync>;

/// What crossed the boundary, by the worker's own count, or why it is not known.
async fn crossings(api: &Api) -> Option<Value> {
    let url = api.about.url.as_deref()?;
    let asked = async { json_of(api.upstream.as_ref()?.get("residency").await.ok()?).await.ok() };
    Some(match asked.await {
        Some((status, Value::Object(mut answer))) if status.is_success() => {
            answer.shift_insert(0, "url".to_owned(), url.into());
            Value::Object(answer)
        }
        Some((status, _)) => json!({ "url": url, "error": format!("the worker answered {status}") }),
        None => json!({ "url": url, "error": "the worker did not answer" }),
    })
}

pub(crate) async fn residency(State(api): State<Api>) -> Result<Json<Value>, Refused> {
    let source = api.residency.clone();
    let report = tokio::task::spawn_blocking(move || source()).await;
    let mut report = report.map_err(|error| Diagnostic::error(codes::INTERNAL, error.to_string()))??;
    if let Some(report) = report.as_object_mut() {
        let servers: Vec<Value> = crossings(&api).await.into_iter().collect();
        report.insert("servers".to_owned(), servers.into());
    }
    Ok(Json(report))
}
