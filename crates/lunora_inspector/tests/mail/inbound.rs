//! Mail that the app is given.

use std::sync::Arc;

use lunora_diagnostics::{Diagnostic, codes};
use lunora_inspector::mail::{Deliver, Delivered, Forwarded, HandlerLogs, OutcomeKind, Replied, ReplyContent};
use serde_json::json;

use crate::support::{get, open, post, serve_with};

#[tokio::test(flavor = "multi_thread")]
async fn inbound_mail_is_delivered_and_what_came_of_it_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let deliver: Deliver = Arc::new(|delivery| {
        Box::pin(async move {
            assert_eq!(
                (delivery.from.as_str(), delivery.to.as_str()),
                ("ann@b.example", "app@a.example")
            );
            let subject = delivery
                .headers
                .iter()
                .find(|(name, _)| name == "Subject")
                .unwrap()
                .1
                .clone();
            if subject == "down" {
                return Err(Diagnostic::error(codes::MAIL_NOT_DELIVERED, "the worker does not run"));
            }
            Ok(Delivered {
                outcome: if subject == "no" {
                    OutcomeKind::Rejected
                } else {
                    OutcomeKind::Accepted
                },
                reason: (subject == "no").then(|| "not wanted".to_owned()),
                forwarded: vec![Forwarded {
                    to: "next@x.example".to_owned(),
                    headers: vec![("x-via".to_owned(), "app\r\nBcc: y".to_owned())],
                }],
                replies: vec![Replied {
                    from: "app@a.example".to_owned(),
                    to: "ann@b.example".to_owned(),
                    content: ReplyContent::Described(
                        json!({ "from": "app@a.example", "to": "ann@b.example", "subject": "Re: hi", "text": "thanks", "headers": { "In-Reply-To": "<1@x>" } }),
                    ),
                }],
                call: Some("c7".to_owned()),
            })
        })
    });
    let logs: HandlerLogs =
        Arc::new(|call| Box::pin(async move { Some(vec![json!({ "text": "thanked", "call": call })]) }));
    let address = serve_with(Arc::new(open(folder.path())), deliver, logs).await;
    let inbound = async |subject: &str| {
        post(
            address,
            "/api/mail/inbound",
            json!({ "from": "Ann <ann@b.example>", "to": "app@a.example", "subject": subject, "text": "hello" }),
        )
        .await
    };
    let answer = inbound("hi").await.json();
    assert_eq!(
        (&answer["outcome"], &answer["forwarded"]),
        (&json!("accepted"), &json!(["next@x.example"]))
    );
    assert_eq!(
        (&answer["call"], &answer["logs"]),
        (&json!("c7"), &json!([{ "text": "thanked", "call": "c7" }]))
    );
    let listed = get(address, "/api/mail").await.json();
    let mails = listed["mails"].as_array().unwrap();
    assert_eq!(mails[0]["id"], answer["replies"][0]);
    assert_eq!(
        (&mails[0]["subject"], &mails[0]["direction"], &mails[0]["causedBy"]),
        (&json!("Re: hi"), &json!("sent"), &answer["id"])
    );
    assert_eq!(
        (&mails[1]["to"], &mails[1]["from"], &mails[1]["causedBy"]),
        (&json!(["next@x.example"]), &json!("app@a.example"), &answer["id"])
    );
    assert_eq!(
        (
            &mails[2]["direction"],
            &mails[2]["outcome"]["outcome"],
            &mails[2]["from"]
        ),
        (&json!("inbound"), &json!("accepted"), &json!("ann@b.example"))
    );
    // All of it is of one call.
    assert!(mails.iter().all(|mail| mail["call"] == "c7"), "{listed}");
    let forwarded = get(address, &format!("/api/mail/{}/raw", mails[1]["id"].as_str().unwrap())).await;
    let text = String::from_utf8_lossy(&forwarded.body).into_owned();
    assert!(
        text.starts_with("x-via: app  Bcc: y\r\n") && text.contains("Subject: hi"),
        "{text}"
    );

    let answer = inbound("no").await.json();
    assert_eq!(
        (&answer["outcome"], &answer["reason"]),
        (&json!("rejected"), &json!("not wanted"))
    );
    let answer = inbound("down").await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["error"]["code"].as_str()),
        (502, Some("MAIL_NOT_DELIVERED"))
    );
    assert_eq!(
        get(address, "/api/mail").await.json()["mails"][0]["outcome"]["outcome"],
        "failed"
    );
    let raw = post(
        address,
        "/api/mail/inbound",
        json!({ "from": "ann@b.example", "to": "app@a.example", "raw": "Subject: hi\r\n\r\nx" }),
    )
    .await;
    assert_eq!(raw.json()["error"]["code"], "MAIL_INVALID");
    let raw = post(
        address,
        "/api/mail/inbound",
        json!({ "from": "ann@b.example", "to": "app@a.example", "raw": "Message-ID: <9@x>\r\nSubject: hi\r\n\r\nx" }),
    )
    .await;
    assert_eq!(raw.json()["outcome"], "accepted");
}
