//! Mail of a region.

use std::sync::Arc;

use lunora_inspector::mail::{Deliver, Delivered, Forwarded, OutcomeKind, Replied, ReplyContent};
use serde_json::json;

use crate::support::{files, get, open, post, serve};

#[tokio::test(flavor = "multi_thread")]
async fn no_byte_of_a_pinned_mail_is_outside_its_region() {
    let folder = tempfile::tempdir().unwrap();
    let deliver: Deliver = Arc::new(|_| {
        Box::pin(async {
            Ok(Delivered {
                outcome: OutcomeKind::Accepted,
                reason: None,
                forwarded: vec![Forwarded {
                    to: "next@x.example".to_owned(),
                    headers: vec![],
                }],
                replies: vec![Replied {
                    from: "a@b.example".to_owned(),
                    to: "c@d.example".to_owned(),
                    content: ReplyContent::Raw(b"Subject: re\r\n\r\nx".to_vec()),
                }],
                call: Some("c7".to_owned()),
            })
        })
    });
    let address = serve(Arc::new(open(folder.path())), deliver).await;
    post(
        address,
        "/mail",
        json!({ "from": "a@b.example", "to": "c@d.example", "text": "pinned", "region": "eu" }),
    )
    .await;
    let inbound = post(
        address,
        "/api/mail/inbound",
        json!({ "from": "a@b.example", "to": "c@d.example", "text": "pinned", "region": "eu" }),
    )
    .await;
    assert_eq!(inbound.json()["outcome"], "accepted", "{}", inbound.json());
    let listed = get(address, "/api/mail").await.json();
    assert_eq!(listed["count"], 4);
    let id = listed["mails"][3]["id"].clone();
    post(address, "/api/mail/read", json!({ "ids": [id] })).await;
    assert_eq!(files(folder.path()).len(), 8);
    for file in files(folder.path()) {
        assert!(file.starts_with("eu/mail"), "{}", file.display());
    }
    assert_eq!(open(folder.path()).status().count, 4);
}
