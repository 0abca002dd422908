//! The routes that workerd's D1 binding asks: `/query`, `/execute` and `/dump`.

use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request as HttpRequest, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use lunora_diagnostics::codes;

use crate::body;
use crate::bookmark::Bookmarks;
use crate::database_name::DATABASE_HEADER;
use crate::databases::Databases;
use crate::failure::Failure;
use crate::request::{Request, RowsFormat};

/// A session sends what it wants to see by it, and is answered where it is.
const BOOKMARK: HeaderName = HeaderName::from_static("x-cf-d1-session-commit-token");
/// A body that is longer is not read on a thread that serves others too.
const SHORT_BODY: usize = 64 << 10;

struct Served {
    databases: Arc<Databases>,
    bookmarks: Bookmarks,
}

/// Answers for these databases.
pub(crate) fn router(databases: Arc<Databases>) -> Router {
    Router::new()
        .route("/query", post(query))
        .route("/execute", post(query))
        .route("/dump", post(dump))
        .fallback(|uri: Uri| async move {
            Failure::refused(codes::NOT_FOUND, format_args!("`{}` is none of D1's paths", uri.path()))
        })
        .method_not_allowed_fallback(|| async { Failure::refused(codes::METHOD_NOT_ALLOWED, "D1 is asked by `POST`") })
        .with_state(Arc::new(Served {
            databases,
            bookmarks: Bookmarks::default(),
        }))
}

async fn query(State(served): State<Arc<Served>>, request: HttpRequest<Body>) -> Result<Response, Failure> {
    let (head, body) = request.into_parts();
    // Read to its end even for a name that is refused, so that the client hears why.
    let body = body::read(body, served.databases.limits().body_bytes).await;
    let database = served.databases.named(database_name(&head.headers)).await?;
    let request = parse(body?, rows_format(&head.uri)).await?;
    let answer = database.run(request).await?;
    let mut response = ([(CONTENT_TYPE, "application/json")], answer).into_response();
    if is_in_session(&head.headers) {
        let bookmark = served.bookmarks.next(SystemTime::now());
        let bookmark = HeaderValue::from_str(&bookmark).map_err(|error| Failure::refused(codes::INTERNAL, error))?;
        response.headers_mut().insert(BOOKMARK, bookmark);
    }
    Ok(response)
}

async fn dump(State(served): State<Arc<Served>>, headers: HeaderMap) -> Result<Response, Failure> {
    let database = served.databases.named(database_name(&headers)).await?;
    let bytes = database.dump().await?;
    Ok(([(CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
}

fn database_name(headers: &HeaderMap) -> Option<&[u8]> {
    headers.get(DATABASE_HEADER).map(HeaderValue::as_bytes)
}

fn is_in_session(headers: &HeaderMap) -> bool {
    headers
        .get(BOOKMARK)
        .is_some_and(|sent| !sent.as_bytes().trim_ascii().is_empty())
}

/// `NONE` of `run()` is answered with rows too, because `RETURNING` has some.
fn rows_format(uri: &Uri) -> RowsFormat {
    let is_raw = uri
        .query()
        .is_some_and(|query| query.split('&').any(|pair| pair == "resultsFormat=ROWS_AND_COLUMNS"));
    if is_raw {
        RowsFormat::RowsAndColumns
    } else {
        RowsFormat::Objects
    }
}

async fn parse(body: Vec<u8>, format: RowsFormat) -> Result<Request, Failure> {
    if body.len() <= SHORT_BODY {
        return Request::read(&body, format);
    }
    tokio::task::spawn_blocking(move || Request::read(&body, format))
        .await
        .unwrap_or_else(|error| Err(Failure::refused(codes::INTERNAL, error)))
}
