//! What was told, and how it is read.

use std::time::Duration;

use lunora_inspector::timeline::Limits;
use lunora_inspector::{SCHEMA, WorkerLine};
use serde_json::{Value, json};
use tokio::net::UnixStream;

use crate::support::{conforms, sample, start, status_of_long_body};
use crate::{good, numbers};

#[tokio::test]
async fn what_was_told_is_answered_in_the_published_shape() {
    let running = start(None, Limits::default()).await;
    assert_eq!(running.tell(&[]).await.status, 204);
    assert_eq!(running.tell(&sample()).await.status, 204);

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
    assert_eq!(running.tell(&[]).await.status, 200);

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
async fn batches_that_are_wrong_are_refused_or_counted() {
    let running = start(None, Limits::default()).await;
    let wrong = running.tell_text("nonsense").await;
    assert_eq!((wrong.status, wrong.code().as_str()), (400, "BAD_REQUEST"));
    let partly = running
        .tell_text("{}\n{\"type\":\"log\",\"at\":1}\nnonsense\n{\"type\":\"dropped\",\"at\":1,\"count\":3}")
        .await;
    assert_eq!(partly.status, 204);
    // The line that is none is told as well.
    let size = good(&running, "/api/status", "Status").await["timeline"].clone();
    assert_eq!((&size["entries"], &size["dropped"]), (&json!(3), &json!(4)));
    let logs = good(&running, "/api/events?type=log", "Events").await;
    assert_eq!((numbers(&logs), &logs["dropped"]), (vec![1], &json!(4)));
    let long = format!("{{}}\n{}", "x".repeat(9 * 1024 * 1024));
    let stream = UnixStream::connect(running.inspector.tap_socket()).await.unwrap();
    assert_eq!(
        status_of_long_body(stream, "POST /events HTTP/1.1\r\nhost: tap", &long).await,
        "413"
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
