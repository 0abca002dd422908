//! What the worker is asked.

use lunora_inspector::timeline::Limits;
use serde_json::{Value, json};

use crate::good;
use crate::support::{sample, start};
use crate::worker::worker;

#[tokio::test]
async fn operations_go_to_the_worker_unchanged() {
    let (url, asked) = worker().await;
    let running = start(Some((url.clone(), "the admin token".to_owned())), Limits::default()).await;
    let body = r#"{ "object":"rooms:1",  "x": [1.0, "é"] }"#;
    let answer = running.post("/api/inspect/rows", body).await;
    assert_eq!((answer.status, answer.body.as_slice()), (200, &br#"{"value":1}"#[..]));
    let refused = running.post("/api/inspect/refused", "{}").await;
    assert_eq!((refused.status, refused.code().as_str()), (404, "UNKNOWN_TABLE"));
    assert_eq!(refused.json()["error"]["data"]["a"], 1);
    for name in ["set-cookie", "access-control-allow-origin"] {
        assert_eq!(refused.header(name), None, "{name}");
    }
    let page = running.post("/api/inspect/page", "{}").await;
    assert_eq!(page.header("content-type"), Some("application/octet-stream"));
    assert_eq!(running.post("/api/faults", "{\"fault\":\"evict\"}").await.status, 200);
    let seen = asked.lock().unwrap().clone();
    let paths: Vec<&str> = seen.iter().map(|(path, _, _)| path.as_str()).collect();
    assert_eq!(
        paths,
        ["rows", "refused", "page", "fault"].map(|name| format!("/_lunora/admin/inspect/{name}"))
    );
    assert_eq!(seen[0].2, body);
    assert!(
        seen.iter()
            .all(|(_, authorization, _)| authorization == "Bearer the admin token")
    );

    for path in [
        "/api/inspect/..",
        "/api/inspect/%2e%2e",
        "/api/inspect/..%2fimport%2fabort",
        "/api/inspect/a%2fb",
        "/api/inspect/a?x",
        "/api/inspect/a.b",
        "/api/inspect/a%00",
        "/api/inspect/http:%2f%2fevil.test",
        "/api/inspect//a",
        "/api/inspect/",
        "/api/inspect/a/b",
    ] {
        let answer = running.post(path, "{}").await;
        let is_plain = path == "/api/inspect/a?x";
        assert_eq!(answer.status, if is_plain { 200 } else { 404 }, "{path}: {answer:?}");
    }
    assert_eq!(running.get("/api/inspect/rows").await.code(), "METHOD_NOT_ALLOWED");

    running.tell(&sample()).await;
    let shards = good(&running, "/api/shards?search=rooms&limit=5&cursor=c", "Shards").await;
    assert_eq!(shards["shards"][0]["activity"]["sockets"], 1);
    assert_eq!(shards["shards"][1]["activity"], Value::Null);
    let argument = asked.lock().unwrap().last().unwrap().2.clone();
    assert_eq!(
        serde_json::from_str::<Value>(&argument).unwrap(),
        json!({ "limit": 5, "cursor": "c", "search": "rooms" })
    );
    let residency = good(&running, "/api/residency", "Residency").await;
    assert_eq!(
        residency["servers"][0],
        json!({ "url": url, "jurisdiction": "eu", "region": null, "crossings": [] })
    );
}

#[tokio::test]
async fn a_worker_that_is_away_is_a_coded_answer() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let running = start(Some((url, "t".to_owned())), Limits::default()).await;
    for answer in [
        running.post("/api/inspect/rows", "{}").await,
        running.get("/api/shards").await,
    ] {
        assert_eq!((answer.status, answer.code().as_str()), (503, "WORKER_UNAVAILABLE"));
    }
    assert!(running.get("/api/residency").await.json()["servers"][0]["error"].is_string());
    let without = start(None, Limits::default()).await;
    assert_eq!(
        without.post("/api/inspect/rows", "{}").await.code(),
        "WORKER_UNAVAILABLE"
    );
}
