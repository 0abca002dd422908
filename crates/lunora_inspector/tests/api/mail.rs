//! Mail, by way of the inspector's own guards.

use std::sync::Arc;

use lunora_inspector::mail::{Deliver, Delivered, OutcomeKind};
use lunora_inspector::timeline::Limits;
use serde_json::json;

use crate::good;
use crate::support::{conforms, start_with};

#[tokio::test]
async fn the_answer_to_a_mail_has_what_its_handler_logged() {
    let deliver: Deliver = Arc::new(|_| {
        Box::pin(async {
            Ok(Delivered {
                outcome: OutcomeKind::Accepted,
                reason: None,
                forwarded: Vec::new(),
                replies: Vec::new(),
                call: Some("m1".to_owned()),
            })
        })
    });
    let running = start_with(None, Limits::default(), Some(deliver)).await;
    let log = |at: u64, text: &str, call: &str| json!({ "type": "log", "at": at, "level": "info", "text": text, "call": call });
    let called = json!({ "type": "call", "at": 3, "call": "m1", "object": "rooms:1", "kind": "mutation", "functionPath": "replies:receive",
                         "args": "{}", "userId": null, "outcome": "ok", "ms": 1 });
    let request = |more: &[(&str, &str)]| {
        let mut event = json!({ "type": "request", "at": 2, "call": "m1", "path": "email()", "userId": null, "status": 200, "ms": 1 });
        for (name, value) in more {
            event[*name] = json!(value);
        }
        event
    };
    let mail = json!({ "from": "a@b.test", "to": "c@d.test", "subject": "s", "text": "t" }).to_string();
    let mut answer = std::pin::pin!(running.post("/api/mail/inbound", &mail));
    // The function that the handler called has been answered, then the handler has ended, and last its object tells.
    let asked = request(&[("functionPath", "replies:receive"), ("object", "rooms:1")]);
    for told in [
        vec![log(1, "first", "m1"), log(1, "other", "x"), asked],
        vec![log(4, "third", "m1"), request(&[])],
        vec![log(2, "second", "m1")],
    ] {
        tokio::select! {
            biased;
            early = &mut answer => panic!("{early:?}"),
            told = running.tell(&told) => assert_eq!(told.status, 200),
        }
    }
    running.tell(&[called]).await;
    let answer = answer.await.json();
    conforms("MailInbound", &answer);
    let texts: Vec<_> = answer["logs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|log| &log["text"])
        .collect();
    assert_eq!(
        (texts, &answer["call"]),
        (vec![&json!("first"), &json!("second"), &json!("third")], &json!("m1"))
    );
    let page = good(&running, "/api/mail", "MailPage").await;
    assert_eq!(page["mails"][0]["call"], "m1");
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
                call: None,
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
    // What is for an app that is pinned lies where the app does.
    let pinned = json!({ "jurisdiction": "us" }).as_object().unwrap().clone();
    running.inspector.set_application(pinned);
    running.post("/api/mail/inbound", &inbound.to_string()).await;
    let page = good(&running, "/api/mail", "MailPage").await;
    assert_eq!(
        (&page["mails"][0]["region"], &page["mails"][1]["region"]),
        (&json!("us"), &json!(null))
    );
    let missing = running.get("/api/mail/none").await;
    conforms("Error", &missing.json());
    assert_eq!(missing.status, 404);
}
