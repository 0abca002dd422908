//! Mail that the app sends: taken, listed, shown, refused.

use std::path::PathBuf;
use std::sync::Arc;

use lunora_inspector::mail::{ChangeKind, Inbox};
use lunora_inspector::tickets::Tickets;
use serde_json::json;

use crate::support::{files, get, nobody, open, options, post, send, serve};

#[tokio::test(flavor = "multi_thread")]
async fn a_captured_mail_is_listed_opened_and_downloaded() {
    let folder = tempfile::tempdir().unwrap();
    let (options, changes) = options(folder.path());
    let address = serve(Arc::new(Inbox::open(options).unwrap().0), nobody()).await;
    let captured = post(
        address,
        "/mail",
        json!({
            "from": { "email": "app@a.example", "name": "App" }, "to": ["Ann <ann@b.example>"], "bcc": ["log@b.example"], "subject": "Sign in",
            "text": "Your code is 493021 or https://app.example/in?t=1", "html": "<a href='https://app.example/in?t=1'>Sign in</a><script>x</script>",
            "attachments": [{ "name": "evil.html", "type": "text/html", "content": "PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==" }],
            "call": "c1", "functionPath": "auth:link", "region": null,
        }),
    )
    .await;
    assert_eq!(captured.status, 200, "{}", captured.json());
    let id = captured.json()["id"].as_str().unwrap().to_owned();
    assert!(
        captured.json()["messageId"]
            .as_str()
            .unwrap()
            .ends_with("@lunora.invalid>")
    );

    let listed = get(address, "/api/mail").await.json();
    let size = listed["mails"][0]["size"].clone();
    assert_eq!(
        listed,
        json!({ "mails": [{ "id": id, "at": 1_800_000_000_001_u64, "from": "App <app@a.example>", "to": ["Ann <ann@b.example>"], "subject": "Sign in", "isRead": false,
            "size": size, "attachments": 1, "direction": "sent", "call": "c1", "functionPath": "auth:link", "region": null }], "unread": 1, "count": 1 })
    );
    for (search, count) in [
        ("to%3Alog%40b.example", 1),
        ("from:app+is:unread+has:attachment", 1),
        ("493021", 1),
        ("from:ann", 0),
    ] {
        assert_eq!(
            get(address, &format!("/api/mail?search={search}")).await.json()["count"],
            count,
            "{search}"
        );
    }

    let shown = get(address, &format!("/api/mail/{id}")).await.json();
    assert_eq!(
        (&shown["links"], &shown["codes"], &shown["bcc"]),
        (
            &json!(["https://app.example/in?t=1"]),
            &json!(["493021"]),
            &json!(["log@b.example"])
        )
    );
    assert_eq!(
        shown["parts"][2],
        json!({ "index": 2, "type": "text/html", "name": "evil.html", "size": 25, "isAttachment": true })
    );
    assert!(
        shown["headers"]
            .as_array()
            .unwrap()
            .contains(&json!(["Subject", "Sign in"])),
        "{}",
        shown["headers"]
    );

    assert_eq!(shown["frame"], Tickets::new("secret").path_of_mail(&id));

    let part = get(address, &format!("/api/mail/{id}/part/2")).await;
    assert_eq!(part.body, "<script>alert(1)</script>");
    assert_eq!(part.header("content-type"), "application/octet-stream");
    assert_eq!(
        part.header("content-disposition"),
        "attachment; filename*=UTF-8''evil%2Ehtml"
    );
    assert_eq!(
        (
            part.header("x-content-type-options"),
            part.header("content-security-policy")
        ),
        ("nosniff", "default-src 'none'; sandbox")
    );
    let raw = get(address, &format!("/api/mail/{id}/raw")).await;
    assert_eq!(raw.header("content-type"), "message/rfc822");
    assert!(raw.header("content-disposition").starts_with("attachment"));
    assert_eq!(raw.body.len() as u64, size.as_u64().unwrap());
    let html = get(address, &format!("/api/mail/{id}/html")).await;
    let page = String::from_utf8_lossy(&html.body).into_owned();
    assert!(
        page.contains("https://app.example/in?t=1") && !page.contains("<script"),
        "{page}"
    );
    let policy = html.header("content-security-policy").to_owned();
    assert!(
        policy.contains("default-src 'none'") && policy.contains("img-src data:;") && policy.contains("; sandbox;"),
        "{policy}"
    );
    let remote = get(address, &format!("/api/mail/{id}/html?remote=1")).await;
    assert!(
        remote
            .header("content-security-policy")
            .contains("img-src data: https: http:;")
    );

    for missing in [
        "/api/mail/x",
        "/api/mail/..%2F..%2Fetc/raw",
        &format!("/api/mail/{id}/part/3"),
        &format!("/api/mail/{id}/part/-1"),
    ] {
        let answer = get(address, missing).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["error"]["code"].as_str()),
            (404, Some("NOT_FOUND")),
            "{missing}"
        );
    }
    assert_eq!(
        post(address, "/api/mail/read", json!({ "ids": [id, "gone"] }))
            .await
            .status,
        200
    );
    assert_eq!(get(address, "/api/mail").await.json()["unread"], 0);
    assert_eq!(
        post(address, "/api/mail/delete", json!({ "ids": [id] })).await.status,
        200
    );
    assert_eq!(post(address, "/api/mail/clear", json!({})).await.status, 200);
    assert_eq!(files(folder.path()), Vec::<PathBuf>::new());
    let kinds: Vec<_> = changes.lock().unwrap().iter().map(|change| change.change).collect();
    assert_eq!(
        kinds,
        [
            ChangeKind::Added,
            ChangeKind::Read,
            ChangeKind::Deleted,
            ChangeKind::Cleared
        ]
    );
    let first = serde_json::to_value(&changes.lock().unwrap()[0]).unwrap();
    assert_eq!(
        (&first["type"], &first["change"], &first["id"]),
        (&json!("mail"), &json!("added"), &json!(id))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_says_why_and_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let address = serve(Arc::new(open(folder.path())), nobody()).await;
    let raw = "From: me@x.example\r\nMessage-ID: <1@x>\r\n\r\nx";
    let raw_post = async |query: &str, body: String| {
        send(address, "POST", &format!("/mail?{query}"), "message/rfc822", body).await
    };
    assert_eq!(
        raw_post(
            "from=me%40x.example&to=a%40b.example&to=c%40d.example&region=eu",
            raw.to_owned()
        )
        .await
        .status,
        200
    );
    let kept = get(address, "/api/mail").await.json()["mails"][0].clone();
    assert_eq!(
        (&kept["to"], &kept["region"]),
        (&json!(["a@b.example", "c@d.example"]), &json!("eu"))
    );
    for (query, body, message) in [
        (
            "from=you%40x.example",
            raw.to_owned(),
            "From: header does not match mail from",
        ),
        (
            "from=me%40x.example",
            raw.replace("Message-ID", "X-ID"),
            "invalid message-id",
        ),
        (
            "from=me%40x.example",
            format!("Received: x\r\n{raw}"),
            "invalid headers set",
        ),
    ] {
        let answer = raw_post(query, body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["error"]["message"].as_str()),
            (400, Some(message))
        );
    }
    for region in ["..", "a/b", "Eu", "none", "mail", "eu.1"] {
        let answer = post(
            address,
            "/mail",
            json!({ "from": "a@b.example", "to": "c@d.example", "region": region }),
        )
        .await;
        assert_eq!(answer.json()["error"]["code"], "MAIL_INVALID", "{region}");
    }
    for body in ["", "[]", "{}", "{\"from\":\"a@b.example\"}", "{\"from\":1}"] {
        let answer = send(address, "POST", "/mail", "application/json", body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["error"]["code"].as_str()),
            (400, Some("MAIL_INVALID")),
            "{body}"
        );
    }
    let large = "x".repeat(25 * 1024 * 1024);
    let answer = raw_post("from=me%40x.example", format!("{raw}{large}")).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["error"]["code"].as_str()),
        (413, Some("MAIL_TOO_LARGE"))
    );
    let fits = &large[raw.len()..];
    assert_eq!(
        raw_post("from=me%40x.example", format!("{raw}{fits}")).await.status,
        200
    );
    assert_eq!(get(address, "/api/mail").await.json()["count"], 2);
}
