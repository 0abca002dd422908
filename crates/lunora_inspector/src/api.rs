//! What is below `/api`. Every answer is JSON that `schema.json` describes, errors included.

mod app;
mod disturb;
mod events;
mod feed;
mod inspect;
mod query;
mod residency;
mod shards;
mod status;
mod trace;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, post};
use lunora_diagnostics::{Diagnostic, codes};
use tokio_util::sync::CancellationToken;

use crate::chaos::Chaos;
use crate::hub::Hub;
use crate::mail::Inbox;
use crate::reply::{Refused, coded, not_found};
use crate::upstream::Upstream;

pub use residency::ResidencySource;
pub(crate) use shards::json_of;

/// Bytes of a body; mails that are simulated have a limit of their own.
const LONGEST_BODY: usize = 2 * 1024 * 1024;

/// JSON Schema 2020-12 of every answer.
pub const SCHEMA: &str = include_str!("api/schema.json");

/// What the handlers work with.
#[derive(Clone)]
pub(crate) struct Api {
    pub hub: Arc<Hub>,
    pub about: Arc<About>,
    /// The app's worker; none when the engine runs none.
    pub upstream: Option<Upstream>,
    pub residency: ResidencySource,
    pub inbox: Option<Arc<Inbox>>,
    pub chaos: Arc<Chaos>,
    pub stop: CancellationToken,
}

/// What stays as it is while the inspector runs.
#[derive(Debug)]
pub(crate) struct About {
    pub app: String,
    pub version: String,
    pub url: Option<String>,
}

/// All routes, those of mail among them.
pub(crate) fn router(api: Api, mail: Router) -> Router {
    let looked = api.hub.clone();
    Router::new()
        .route("/api/status", get(status::status))
        .route("/api/schema", get(schema))
        .route("/api/app", get(app::app))
        .route("/api/events", get(events::events))
        .route("/api/feed", any(feed::feed))
        .route("/api/trace", get(trace::trace))
        .route("/api/inspect/{operation}", post(inspect::inspect))
        .route("/api/faults", get(disturb::faults).post(disturb::fault))
        .route("/api/chaos", post(disturb::chaos))
        .route("/api/shards", get(shards::shards))
        .route("/api/residency", get(residency::residency))
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .with_state(api)
        .merge(mail)
        .fallback(|| async { not_found("the inspector has no such route") })
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn(only_reads_by_get))
        .layer(from_fn_with_state(looked, mark))
}

async fn schema() -> Response {
    let mut response = SCHEMA.into_response();
    let value = HeaderValue::from_static("application/schema+json");
    response.headers_mut().insert(CONTENT_TYPE, value);
    response
}

async fn wrong_method() -> Response {
    let error = Diagnostic::error(codes::METHOD_NOT_ALLOWED, "the route does not take this method");
    coded(&error.with_help("Read with GET, change with POST."))
}

/// A body has no meaning in a read, and is not waited for.
async fn only_reads_by_get(request: Request, next: Next) -> Result<Response, Refused> {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let has_body = ["content-length", "transfer-encoding"]
        .iter()
        .any(|name| request.headers().get(*name).is_some_and(|value| value != "0"));
    if reads && has_body {
        return Err(crate::reply::bad_request("a request that reads has no body"));
    }
    Ok(next.run(request).await)
}

/// Whoever asks is looking.
async fn mark(axum::extract::State(hub): axum::extract::State<Arc<Hub>>, request: Request, next: Next) -> Response {
    hub.looked();
    next.run(request).await
}
