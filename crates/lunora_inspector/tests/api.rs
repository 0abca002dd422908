//! The API as its users see it, over real sockets.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, Uri};
use futures_util::{SinkExt as _, StreamExt as _};
use lunora_inspector::mail::{Deliver, Delivered, OutcomeKind};
use lunora_inspector::timeline::Limits;
use lunora_inspector::{SCHEMA, WorkerLine};
use serde_json::{Value, json};
use support::{Running, sample, start, start_with, status_of_long_body};
use tokio::net::{TcpStream, UnixStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// Fails unless the value is what the published schema calls `name`.
fn conforms(name: &str, value: &Value) {
    let mut schema: Value = serde_json::from_str(SCHEMA).unwrap();
    assert!(schema["$defs"][name].is_object(), "{name}");
    schema["$ref"] = format!("#/$defs/{name}").into();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let faults: Vec<String> = validator
        .iter_errors(value)
        .map(|fault| format!("{}: {fault}", fault.instance_path))
        .collect();
    assert!(faults.is_empty(), "{name}: {faults:?} in {value:#}");
}

async fn good(running: &Running, path: &str, schema: &str) -> Value {
    let answer = running.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    let value = answer.json();
    conforms(schema, &value);
    value
}

type Feed = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn feed(running: &Running) -> Feed {
    let mut request = format!("ws://{}/api/feed", running.authority)
        .into_client_request()
        .unwrap();
    let protocols = format!("lunora.inspector, token.{}", running.token);
    let headers = request.headers_mut();
    headers.insert("sec-websocket-protocol", HeaderValue::from_str(&protocols).unwrap());
    let (feed, response) = tokio_tungstenite::connect_async(request).await.unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "lunora.inspector");
    feed
}

async fn frame(feed: &mut Feed) -> Value {
    let message = tokio::time::timeout(Duration::from_secs(20), feed.next())
        .await
        .unwrap();
    match message.unwrap().unwrap() {
        Message::Text(text) => {
            let value = serde_json::from_str(&text).unwrap();
            conforms("FeedFrame", &value);
            value
        }
        other => panic!("{other:?}"),
    }
}

fn numbers(page: &Value) -> Vec<u64> {
    let events = page["events"].as_array().unwrap();
    events.iter().map(|event| event["n"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn what_was_told_is_answered_in_the_published_shape() {
    let running = start(None, Limits::default()).await;
    assert_eq!(running.tell(&[]).await.json(), json!({ "isOpen": false }));
    let told = running.tell(&sample()).await;
    conforms("TapBatch", &told.json());

    let status = good(&running, "/api/status", "Status").await;
    assert_eq!(
        (&status["worker"], &status["timeline"]["entries"]),
        (&json!("starting"), &json!(6))
    );
    running.inspector.serving(3);
    let status = good(&running, "/api/status", "Status").await;
    assert_eq!(
        (&status["worker"], &status["generation"]),
        (&json!("serving"), &json!(3))
    );
    running.inspector.failed();
    assert_eq!(good(&running, "/api/status", "Status").await["worker"], "failed");
    // Somebody has asked just now.
    assert_eq!(running.tell(&[]).await.json(), json!({ "isOpen": true }));

    let events = good(&running, "/api/events", "Events").await;
    assert_eq!(numbers(&events), [1, 2, 3, 4, 5, 6]);
    assert_eq!(events["events"][0]["region"], "eu");
    for (query, expected) in [
        ("?after=4", vec![5, 6]),
        ("?after=6", vec![]),
        ("?after=900", vec![]),
        ("?before=3", vec![1, 2]),
        ("?after=1&before=4", vec![2, 3]),
        ("?limit=2", vec![5, 6]),
        ("?after=0&limit=2", vec![1, 2]),
        ("?type=call,poke", vec![2, 5]),
        ("?type=nothing", vec![]),
        ("?object=rooms%3A1&type=commit", vec![4]),
        ("?call=a", vec![2, 3, 4, 5, 6]),
        ("?socket=s1", vec![1, 5]),
        ("?search=said%20%3CSOMETHING", vec![3]),
    ] {
        let page = good(&running, &format!("/api/events{query}"), "Events").await;
        assert_eq!(numbers(&page), expected, "{query}");
    }
    for query in [
        "?limit=1001",
        "?after=-1",
        "?after=x",
        "?other=1",
        "?after=1&after=2",
        "?limit=1e2",
    ] {
        let answer = running.get(&format!("/api/events{query}")).await;
        conforms("Error", &answer.json());
        assert_eq!((answer.status, answer.code().as_str()), (400, "BAD_REQUEST"), "{query}");
    }

    let by_call = good(&running, "/api/trace?call=a", "Trace").await;
    let by_change = good(&running, "/api/trace?object=rooms%3A1&seq=6", "Trace").await;
    assert_eq!(by_call, by_change);
    assert_eq!(by_call["ops"].as_array().unwrap().len(), 2);
    for (query, code) in [
        ("?call=x", "NOT_FOUND"),
        ("?object=rooms%3A1&seq=7", "NOT_FOUND"),
        ("", "BAD_REQUEST"),
        ("?call=a&seq=1", "BAD_REQUEST"),
        ("?seq=1", "BAD_REQUEST"),
    ] {
        assert_eq!(running.get(&format!("/api/trace{query}")).await.code(), code, "{query}");
    }
    conforms("Residency", &running.get("/api/residency").await.json());
    let schema = running.get("/api/schema").await;
    assert_eq!(schema.header("content-type"), Some("application/schema+json"));
    assert_eq!(schema.body, SCHEMA.as_bytes());
}

#[tokio::test]
async fn the_app_is_what_the_engine_said_last() {
    let running = start(None, Limits::default()).await;
    let empty = good(&running, "/api/app", "App").await;
    assert_eq!(empty["tables"], json!([]));
    let application = json!({
        "jurisdiction": "eu",
        "tables": [{ "name": "t", "tier": "shardBy", "shardBy": "room", "fields": {}, "indexes": {}, "hasPolicy": false }],
        "functions": [], "shapes": [], "drift": [],
    });
    let Value::Object(application) = application else {
        panic!()
    };
    running.inspector.set_application(application);
    running.inspector.set_findings(vec![
        json!({ "code": "X_Y", "severity": "error", "message": "m", "help": null, "labels": [] }),
    ]);
    let app = good(&running, "/api/app", "App").await;
    assert_eq!(
        (&app["tables"][0]["name"], &app["findings"][0]["code"]),
        (&json!("t"), &json!("X_Y"))
    );
    assert_eq!(good(&running, "/api/status", "Status").await["pinned"], "eu");
}

#[tokio::test]
async fn batches_that_are_wrong_are_refused_or_counted() {
    let running = start(None, Limits::default()).await;
    let wrong = running.tell_text("nonsense").await;
    assert_eq!((wrong.status, wrong.code().as_str()), (400, "BAD_REQUEST"));
    let partly = running
        .tell_text("{}\n{\"type\":\"log\",\"at\":1}\nnonsense\n{\"type\":\"dropped\",\"at\":1,\"count\":3}")
        .await;
    assert_eq!(partly.status, 200);
    let size = good(&running, "/api/status", "Status").await["timeline"].clone();
    assert_eq!((&size["entries"], &size["dropped"]), (&json!(2), &json!(4)));
    let long = format!("{{}}\n{}", "x".repeat(9 * 1024 * 1024));
    let stream = UnixStream::connect(running.inspector.tap_socket()).await.unwrap();
    assert_eq!(
        status_of_long_body(stream, "POST /events HTTP/1.1\r\nhost: tap", &long).await,
        "413"
    );
}

#[tokio::test]
async fn a_feed_follows_and_filters() {
    let running = start(None, Limits::default()).await;
    running.tell(&sample()).await;
    let mut feed = feed(&running).await;
    feed.send(Message::text(json!({ "after": 4 }).to_string()))
        .await
        .unwrap();
    let first = frame(&mut feed).await;
    assert_eq!((numbers(&first), &first["next"]), (vec![5, 6], &json!(6)));
    assert_eq!(running.tell(&sample()).await.json(), json!({ "isOpen": true }));
    assert_eq!(numbers(&frame(&mut feed).await), [7, 8, 9, 10, 11, 12]);
    let wanted = json!({ "after": 0, "types": ["poke"], "object": "rooms:1" });
    feed.send(Message::text(wanted.to_string())).await.unwrap();
    assert_eq!(numbers(&frame(&mut feed).await), [5, 11]);
    // Many at once come in frames of a bounded size, each event once.
    let many: Vec<Value> = (0..1_500)
        .map(|at| json!({ "type": "poke", "at": at, "object": "rooms:1" }))
        .collect();
    running.tell(&many).await;
    let mut read = Vec::new();
    while read.len() < many.len() {
        let page = frame(&mut feed).await;
        assert!(numbers(&page).len() <= 500);
        read.extend(numbers(&page));
    }
    assert_eq!(read, (13..1_513).collect::<Vec<u64>>());
    running.inspector.close().await;
    let end = tokio::time::timeout(Duration::from_secs(20), feed.next())
        .await
        .unwrap();
    assert!(matches!(end, None | Some(Ok(Message::Close(_)) | Err(_))), "{end:?}");
}

#[tokio::test]
async fn a_reader_that_fell_behind_is_told_how_far() {
    let limits = Limits {
        entries: 10,
        bytes: 1 << 20,
    };
    let running = start(None, limits).await;
    running
        .tell(&(0..30).map(|at| json!({ "type": "log", "at": at })).collect::<Vec<_>>())
        .await;
    let mut feed = feed(&running).await;
    feed.send(Message::text(json!({ "after": 5 }).to_string()))
        .await
        .unwrap();
    assert_eq!(frame(&mut feed).await, json!({ "lagged": 15 }));
    assert_eq!(numbers(&frame(&mut feed).await), (21..=30).collect::<Vec<u64>>());
}

#[tokio::test]
async fn what_a_reader_says_wrongly_ends_its_feed_with_a_code() {
    let running = start(None, Limits::default()).await;
    for wrong in [
        "",
        "[]",
        "[1]",
        "{}",
        "{\"after\":-1}",
        "{\"after\":\"1\"}",
        "{\"after\":1,\"x\":1}",
        "{\"after\":1,\"types\":\"a\"}",
    ] {
        let mut feed = feed(&running).await;
        feed.send(Message::text(wrong)).await.unwrap();
        assert_eq!(frame(&mut feed).await["error"]["code"], "BAD_REQUEST", "{wrong}");
        assert!(matches!(feed.next().await, Some(Ok(Message::Close(_)))), "{wrong}");
    }
    let plain = running.get("/api/feed").await;
    assert_eq!((plain.status, plain.code().as_str()), (400, "BAD_REQUEST"));
}

/// What a worker was asked: its path, its `authorization` and its body.
type Asked = Arc<Mutex<Vec<(String, String, String)>>>;

async fn worker() -> (String, Asked) {
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

#[tokio::test]
async fn printed_lines_join_the_timeline_once() {
    let running = start(None, Limits::default()).await;
    let line = |text: &str, is_console| WorkerLine {
        level: "info",
        text: text.to_owned(),
        at: 1,
        is_console,
    };
    running.inspector.printed(line("both", true));
    running.inspector.printed(line("never told", true));
    running.inspector.printed(line("exception", false));
    running
        .tell(&[json!({ "type": "log", "at": 1, "level": "info", "text": "both", "call": "c" })])
        .await;
    let texts = async || {
        let events = good(&running, "/api/events?type=log", "Events").await;
        let text = |event: &Value| event["text"].as_str().unwrap().to_owned();
        events["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(text)
            .collect::<Vec<_>>()
    };
    while texts().await.len() < 3 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(texts().await, ["exception", "both", "never told"]);
}

#[tokio::test]
async fn it_is_found_by_its_file_and_leaves_nothing() {
    let running = start(None, Limits::default()).await;
    let path = running.folder.path().join(".lunora/inspector.json");
    let entry: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    conforms("RunFile", &entry);
    assert_eq!(entry["origin"], format!("http://{}", running.authority));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let socket = running.inspector.tap_socket().clone();
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(
        std::fs::metadata(socket.parent().unwrap())
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o700
    );
    running.inspector.close().await;
    running.inspector.close().await;
    assert!(!path.exists() && !socket.parent().unwrap().exists());
    assert!(TcpStream::connect(&running.authority).await.is_err());
}

#[tokio::test]
async fn a_port_can_be_stated_and_a_taken_one_is_named() {
    let first = start(None, Limits::default()).await;
    let port: u16 = first.authority.rsplit(':').next().unwrap().parse().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let options = |port| lunora_inspector::InspectorOptions {
        root: folder.path().to_owned(),
        port,
        limits: Limits::default(),
        app: String::new(),
        version: String::new(),
        worker: None,
        residency: Arc::new(|| Ok(json!({}))),
        mail: None,
        clock: Arc::new(std::time::SystemTime::now),
    };
    let taken = lunora_inspector::Inspector::start(options(port)).await.err().unwrap();
    assert_eq!(taken.code.to_string(), "PORT_TAKEN");
    assert!(taken.message.contains(&port.to_string()), "{}", taken.message);
    assert!(!folder.path().join(".lunora").exists());
    first.inspector.close().await;
    let again = lunora_inspector::Inspector::start(options(port)).await.unwrap();
    assert_eq!(again.origin(), format!("http://127.0.0.1:{port}"));
}

#[tokio::test]
async fn mail_is_taken_listed_and_shown_in_a_frame() {
    let deliver: Deliver = Arc::new(|_| {
        Box::pin(async {
            Ok(Delivered {
                outcome: OutcomeKind::Rejected,
                reason: Some("full".to_owned()),
                forwarded: Vec::new(),
                replies: Vec::new(),
            })
        })
    });
    let running = start_with(None, Limits::default(), Some(deliver)).await;
    let mail = json!({ "from": "app@lunora.test", "to": "ada@lunora.test", "subject": "Hello", "text": "Your code is 123456",
                       "html": "<p style=\"color:red\">Hello<script>alert(1)</script>", "call": "c1" });
    let captured = running.send("/mail", &mail.to_string()).await;
    assert_eq!(captured.status, 200, "{captured:?}");
    let page = good(&running, "/api/mail", "MailPage").await;
    assert_eq!((&page["count"], &page["unread"]), (&json!(1), &json!(1)));
    let id = page["mails"][0]["id"].as_str().unwrap().to_owned();
    let opened = good(&running, &format!("/api/mail/{id}"), "Mail").await;
    assert_eq!(good(&running, "/api/status", "Status").await["mail"]["count"], 1);
    let told = good(&running, "/api/events?type=mail", "Events").await;
    assert_eq!(told["events"][0]["id"], json!(id));

    // The frame has its ticket and no token; nothing else is let in by it.
    let frame = opened["frame"].as_str().unwrap();
    let shown = running
        .ask(&format!("GET {frame}"), &["sec-fetch-site: same-origin"], "")
        .await;
    assert_eq!(shown.status, 200, "{shown:?}");
    let text = String::from_utf8_lossy(&shown.body).into_owned();
    assert!(text.contains("Hello") && !text.contains("<script"), "{text}");
    let policy = shown.header("content-security-policy").unwrap();
    assert!(
        policy.contains("frame-ancestors 'self'") && policy.contains("sandbox"),
        "{policy}"
    );
    assert_eq!(shown.header("cache-control"), Some("no-store"));
    let query = frame.split_once('?').unwrap().1;
    for path in [
        format!("/api/mail/{id}"),
        format!("/api/mail/{id}/raw"),
        "/api/mail".to_owned(),
    ] {
        assert_eq!(
            running.ask(&format!("GET {path}?{query}"), &[], "").await.status,
            401,
            "{path}"
        );
    }
    let inbound = json!({ "from": "a@b.test", "to": "c@d.test", "subject": "s", "text": "t" });
    let answer = running.post("/api/mail/inbound", &inbound.to_string()).await;
    conforms("MailInbound", &answer.json());
    assert_eq!(answer.json()["reason"], "full");
    let missing = running.get("/api/mail/none").await;
    conforms("Error", &missing.json());
    assert_eq!(missing.status, 404);
}
