//! A worker whose admin routes answer what is written here.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, Uri};
use serde_json::json;

/// What a worker was asked: its path, its `authorization` and its body.
pub(crate) type Asked = Arc<Mutex<Vec<(String, String, String)>>>;

pub(crate) async fn worker() -> (String, Asked) {
    let asked = Asked::default();
    let seen = asked.clone();
    let answer = move |uri: Uri, headers: HeaderMap, body: Bytes| async move {
        let text = |name: &str| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned()
        };
        let body = String::from_utf8(body.to_vec()).unwrap();
        seen.lock()
            .unwrap()
            .push((uri.path().to_owned(), text("authorization"), body));
        let answer = match uri.path() {
            "/_lunora/admin/inspect/shards" => {
                json!({ "value": { "shards": [{ "name": "rooms:1", "tier": "shardBy" }, { "name": "rooms:2", "tier": "shardBy" }], "cursor": null } })
            }
            "/_lunora/admin/residency" => json!({ "jurisdiction": "eu", "region": null, "crossings": [] }),
            "/_lunora/admin/inspect/refused" => {
                let error = json!({ "error": { "code": "UNKNOWN_TABLE", "message": "no", "data": { "a": 1 } } });
                return (
                    StatusCode::NOT_FOUND,
                    [
                        ("set-cookie", "a=b"),
                        ("access-control-allow-origin", "*"),
                        ("content-type", "application/json"),
                    ],
                    error.to_string(),
                );
            }
            "/_lunora/admin/inspect/page" => {
                return (
                    StatusCode::OK,
                    [
                        ("set-cookie", "a=b"),
                        ("access-control-allow-origin", "*"),
                        ("content-type", "text/html"),
                    ],
                    "<script>".to_owned(),
                );
            }
            _ => json!({ "value": 1 }),
        };
        (
            StatusCode::OK,
            [
                ("set-cookie", "a=b"),
                ("access-control-allow-origin", "*"),
                ("content-type", "application/json"),
            ],
            answer.to_string(),
        )
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, Router::new().fallback(answer)).await });
    (url, asked)
}
