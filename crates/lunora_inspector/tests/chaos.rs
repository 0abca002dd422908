//! Faults and chaos as their users see them, over real sockets, with a worker that only listens.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{StatusCode, Uri};
use axum::{Json, Router};
use lunora_inspector::LARGEST_SEED;
use lunora_inspector::timeline::Limits;
use serde_json::{Value, json};
use support::{Running, conforms, start, start_telling};

/// The faults that a worker was asked for.
type Asked = Arc<Mutex<Vec<Value>>>;

/// A worker whose object `rooms:1` has two sockets, the younger one named first, and that knows no object `gone`.
async fn worker() -> (String, Asked) {
    let asked = Asked::default();
    let seen = asked.clone();
    let answer = move |uri: Uri, body: Bytes| async move {
        let argument: Value = serde_json::from_slice(&body).unwrap_or_default();
        match uri.path().strip_prefix("/_lunora/admin/inspect/") {
            Some("clients") => {
                let sockets = json!([{ "socket": "younger" }, { "socket": "elder" }]);
                (StatusCode::OK, Json(json!({ "value": { "sockets": sockets } })))
            }
            Some("fault") if argument["object"] == "gone" => {
                let error = json!({ "code": "SHARD_NOT_FOUND", "message": "no such shard" });
                (StatusCode::NOT_FOUND, Json(json!({ "error": error })))
            }
            _ => {
                seen.lock().unwrap().push(argument);
                let value = json!({ "state": "happened", "details": {} });
                (StatusCode::OK, Json(json!({ "value": value })))
            }
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, Router::new().fallback(answer)).await });
    (url, asked)
}

async fn running(url: String) -> Running {
    start(Some((url, "the admin token".to_owned())), Limits::default()).await
}

fn socket(object: &str, socket: &str, at: u64) -> Value {
    json!({ "type": "socket", "at": at, "object": object, "socket": socket, "state": "opened", "userId": null })
}

async fn chaos(running: &Running) -> Value {
    let status = running.get("/api/status").await.json();
    conforms("Status", &status);
    status["chaos"].clone()
}

/// The events of faults: state, seed and step.
async fn faults(running: &Running) -> Vec<Value> {
    let page = running.get("/api/events?type=fault&limit=1000").await.json();
    conforms("Events", &page);
    page["events"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_fault_is_asked_for_in_the_name_of_who_asks() {
    let (url, asked) = worker().await;
    let running = running(url).await;
    let listed = running.get("/api/faults").await.json();
    conforms("Faults", &listed);
    let names = listed["faults"].as_array().unwrap().iter();
    let names: Vec<&str> = names.map(|fault| fault["fault"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "dropSocket",
            "cutPoke",
            "swapFrames",
            "delayPokes",
            "trimLog",
            "evict",
            "failRegion"
        ]
    );
    let body = r#"{"object":"rooms:1","fault":"evict","by":{"kind":"chaos","seed":1,"step":1}}"#;
    assert_eq!(running.post("/api/faults", body).await.status, 200);
    assert_eq!(
        asked.lock().unwrap().clone(),
        [json!({ "object": "rooms:1", "fault": "evict", "by": { "kind": "user" } })]
    );
    let refused = running
        .post("/api/faults", r#"{"object":"gone","fault":"evict"}"#)
        .await;
    assert_eq!((refused.status, refused.code().as_str()), (404, "SHARD_NOT_FOUND"));
    for body in ["", "[]", "null", "7", "{"] {
        let answer = running.post("/api/faults", body).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "BAD_REQUEST"), "{body}");
    }
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn chaos_begins_is_replaced_and_ends_and_says_so() {
    let told: Arc<Mutex<Vec<Option<u64>>>> = Arc::default();
    let hears = told.clone();
    let (url, _asked) = worker().await;
    let changed = Arc::new(move |seed| hears.lock().unwrap().push(seed));
    let running = start_telling(Some((url, "t".to_owned())), changed).await;
    assert_eq!(chaos(&running).await, Value::Null);
    // Nothing is played, and nobody is told of an end.
    assert_eq!(
        running.post("/api/chaos", r#"{"seed":null}"#).await.json(),
        json!({ "chaos": null })
    );

    for seed in [42, LARGEST_SEED] {
        let answer = running
            .post("/api/chaos", &json!({ "seed": seed }).to_string())
            .await
            .json();
        conforms("Chaos", &answer);
        assert_eq!(
            (&answer["chaos"]["seed"], &answer["chaos"]["step"]),
            (&json!(seed), &json!(0))
        );
        assert_eq!(chaos(&running).await["seed"], seed);
    }
    assert_eq!(
        running.post("/api/chaos", r#"{"seed":null}"#).await.json(),
        json!({ "chaos": null })
    );
    assert_eq!(chaos(&running).await, Value::Null);
    assert_eq!(*told.lock().unwrap(), [Some(42), Some(LARGEST_SEED), None]);
    let marks: Vec<Value> = faults(&running).await;
    let marks: Vec<(&Value, &Value)> = marks.iter().map(|mark| (&mark["state"], &mark["seed"])).collect();
    let (started, stopped) = (json!("started"), json!("stopped"));
    assert_eq!(
        marks,
        [
            (&started, &json!(42)),
            (&stopped, &json!(42)),
            (&started, &json!(LARGEST_SEED)),
            (&stopped, &json!(LARGEST_SEED))
        ]
    );
}

#[tokio::test]
async fn only_the_page_itself_starts_chaos_and_only_with_a_seed() {
    let (url, asked) = worker().await;
    let running = running(url).await;
    for body in [
        "",
        "{}",
        "[42]",
        "42",
        "null",
        r#"{"seed":-1}"#,
        r#"{"seed":1.5}"#,
        r#"{"seed":"42"}"#,
        r#"{"seed":true}"#,
        r#"{"seed":9007199254740992}"#,
        r#"{"seed":1e400}"#,
        r#"{"seed":42,"x":1}"#,
        r#"{"seed":42}{"seed":42}"#,
    ] {
        let answer = running.post("/api/chaos", body).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "BAD_REQUEST"), "{body}");
    }
    let (bearer, json, length) = (running.bearer(), "content-type: application/json", "content-length: 11");
    let wrong: [(&str, &[&str], u16); 6] = [
        ("no token", &[json, length], 401),
        ("another token", &["authorization: Bearer x", json, length], 401),
        ("a form", &[&bearer, "content-type: text/plain", length], 415),
        (
            "another page",
            &[&bearer, json, length, "origin: http://localhost:5173"],
            403,
        ),
        (
            "another site",
            &[&bearer, json, length, "sec-fetch-site: cross-site"],
            403,
        ),
        (
            "the same site",
            &[&bearer, json, length, "sec-fetch-site: same-site"],
            403,
        ),
    ];
    for path in ["/api/chaos", "/api/faults"] {
        for (what, headers, status) in &wrong {
            let answer = running.ask(&format!("POST {path}"), headers, r#"{"seed":42}"#).await;
            assert_eq!(answer.status, *status, "{what} of {path}: {answer:?}");
        }
    }
    assert_eq!(running.get("/api/chaos").await.status, 405);
    assert_eq!((chaos(&running).await, asked.lock().unwrap().len()), (Value::Null, 0));

    let none = start(None, Limits::default()).await;
    let answer = none.post("/api/chaos", r#"{"seed":42}"#).await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "WORKER_UNAVAILABLE"));
    let status = none.get("/api/status").await.json();
    assert_eq!((&status["faults"], &status["chaos"]), (&json!(false), &Value::Null));
}

#[tokio::test]
async fn the_plan_is_played_once_a_worker_serves_and_ends_with_the_inspector() {
    let (url, asked) = worker().await;
    let running = running(url).await;
    running
        .tell(&[socket("rooms:1", "elder", 1), socket("rooms:1", "younger", 2)])
        .await;
    running.post("/api/chaos", r#"{"seed":42}"#).await;
    running.inspector.serving(1);
    let mut steps = 0;
    for _ in 0..1_000 {
        steps = chaos(&running).await["step"].as_u64().unwrap();
        if steps >= 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(steps >= 3, "it stands at step {steps}");
    let first: Vec<Value> = asked.lock().unwrap()[..2].to_vec();
    assert_eq!(
        first,
        FIRST_OF_42.map(|text| serde_json::from_str::<Value>(text).unwrap())
    );
    running.inspector.close().await;
    let count = asked.lock().unwrap().len();
    tokio::time::sleep(Duration::from_millis(5_200)).await;
    assert_eq!(asked.lock().unwrap().len(), count, "it goes on after the end");
}

/// By the plan of 42: the first of the sockets by when they were opened, not as the worker lists them.
const FIRST_OF_42: [&str; 2] = [
    r#"{"fault":"dropSocket","by":{"kind":"chaos","seed":42,"step":1},"object":"rooms:1","socket":"elder"}"#,
    r#"{"fault":"trimLog","by":{"kind":"chaos","seed":42,"step":2},"object":"rooms:1"}"#,
];

/// Rests for half a second before its first step, an eviction, and for as long before its second.
const EVICTS_FIRST: u64 = 975;

#[tokio::test]
async fn an_eviction_whose_answer_was_lost_is_not_asked_for_again_when_the_timeline_has_heard_of_it() {
    for is_told in [true, false] {
        let asked = Asked::default();
        let (seen, gate) = (asked.clone(), Arc::new(tokio::sync::Semaphore::new(0)));
        let opened = gate.clone();
        // Whatever it does, its answer is lost.
        let answer = move |body: Bytes| async move {
            seen.lock()
                .unwrap()
                .push(serde_json::from_slice(&body).unwrap_or_default());
            drop(opened.acquire().await);
            let error = json!({ "code": "SHARD_ERROR", "message": "the answer was lost" });
            (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "error": error })))
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, Router::new().fallback(answer)).await });
        let running = running(url).await;
        running.inspector.serving(1);
        let fault = |step: u64| {
            json!({ "type": "fault", "at": 1, "object": "rooms:1", "fault": "evict", "state": "happened", "by": "chaos",
                    "seed": EVICTS_FIRST, "step": step, "details": {} })
        };
        // Of a run of this seed before.
        running.tell(&[socket("rooms:1", "s", 1), fault(1)]).await;
        running.inspector.set_chaos(Some(EVICTS_FIRST)).unwrap();
        while asked.lock().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // What is told of another step says nothing of this one.
        running.tell(&[fault(if is_told { 1 } else { 2 })]).await;
        gate.add_permits(1_000);
        // Either the next step begins, or this one is tried again.
        while chaos(&running).await["step"] == 1 && asked.lock().unwrap().len() == 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let step = chaos(&running).await["step"].as_u64().unwrap();
        assert_eq!(step, if is_told { 2 } else { 1 });
        let skipped = faults(&running).await;
        let is_skipped = |event: &Value| event["state"] == "skipped" && event["step"] == 1;
        assert!(!skipped.iter().any(is_skipped), "{skipped:?}");
    }
}
