//! The inbox over HTTP on loopback, and on disk.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::rt::TokioIo;
use lunora_diagnostics::{Diagnostic, codes};
use lunora_inspector::mail::{
    ChangeKind, Deliver, Delivered, Direction, Forwarded, Inbox, InboxOptions, MailChange, NewMail, OutcomeKind,
    Replied, ReplyContent, capture_router, router,
};
use lunora_inspector::tickets::Tickets;
use lunora_testing::SmallDisk;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

type Changes = Arc<Mutex<Vec<MailChange>>>;

fn options(state: &Path) -> (InboxOptions, Changes) {
    let changes = Changes::default();
    let told = Arc::clone(&changes);
    let clock = AtomicU64::new(1_800_000_000_000);
    let mut options = InboxOptions::new(state);
    options.clock = Arc::new(move || clock.fetch_add(1, Ordering::SeqCst));
    options.changed = Arc::new(move |change| told.lock().unwrap().push(change));
    (options, changes)
}

fn open(state: &Path) -> Inbox {
    let (inbox, torn) = Inbox::open(options(state).0).unwrap();
    assert_eq!(torn, []);
    inbox
}

fn mail(subject: &str, size: usize) -> NewMail {
    let raw = format!(
        "From: a@b.example\r\nTo: c@d.example\r\nSubject: {subject}\r\nMessage-ID: <1@x>\r\n\r\n{}",
        "x".repeat(size)
    );
    NewMail::new(raw.into_bytes(), Direction::Sent)
}

fn nobody() -> Deliver {
    Arc::new(|_| {
        Box::pin(async {
            Err(Diagnostic::error(
                codes::MAIL_NO_HANDLER,
                "the worker has no `email()` handler",
            ))
        })
    })
}

async fn serve(inbox: Arc<Inbox>, deliver: Deliver) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = router(Arc::clone(&inbox), deliver, Tickets::new("secret")).merge(capture_router(inbox));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    address
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&self.body)))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

async fn send(address: SocketAddr, method: &str, path: &str, content_type: &str, body: impl Into<Bytes>) -> Answer {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", address.to_string())
        .header("content-type", content_type)
        .body(Full::new(body.into()))
        .unwrap();
    let (parts, body) = sender.send_request(request).await.unwrap().into_parts();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: body.collect().await.unwrap().to_bytes(),
    }
}

async fn get(address: SocketAddr, path: &str) -> Answer {
    send(address, "GET", path, "", "").await
}

async fn post(address: SocketAddr, path: &str, body: Value) -> Answer {
    send(address, "POST", path, "application/json", body.to_string()).await
}

/// Files below a folder, by their path.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

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

#[test]
fn mails_survive_a_restart_and_torn_ones_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = open(folder.path());
    let ids: Vec<String> = ["one", "two", "three", "four"]
        .iter()
        .map(|subject| inbox.add(&mail(subject, 10)).unwrap())
        .collect();
    inbox.read(&ids[..1]).unwrap();
    let before = serde_json::to_value(inbox.list("", None, 10)).unwrap();
    drop(inbox);
    assert_eq!(
        serde_json::to_value(open(folder.path()).list("", None, 10)).unwrap(),
        before
    );

    let file = |id: &str, ending: &str| folder.path().join("mail").join(format!("{id}.{ending}"));
    // A record that was cut, a message that was cut, a message without a record, a file that was never finished.
    let record = std::fs::read(file(&ids[0], "json")).unwrap();
    std::fs::write(file(&ids[0], "json"), &record[..record.len() / 2]).unwrap();
    std::fs::write(file(&ids[1], "eml"), "From:").unwrap();
    std::fs::remove_file(file(&ids[2], "json")).unwrap();
    std::fs::write(folder.path().join("mail/.new-abc"), "x").unwrap();
    let (inbox, torn) = Inbox::open(options(folder.path()).0).unwrap();
    assert_eq!(torn.len(), 2, "{torn:?}");
    assert!(
        torn.iter()
            .all(|one| one.code == codes::MAIL_TORN && one.help.as_deref().is_some_and(|help| help.contains(".eml")))
    );
    let left: Vec<_> = inbox
        .list("", None, 10)
        .mails
        .into_iter()
        .map(|mail| mail.subject)
        .collect();
    assert_eq!(left, ["four"]);
    assert!(!file(&ids[2], "eml").exists() && !folder.path().join("mail/.new-abc").exists());
    // Ids go on where they were.
    assert!(inbox.add(&mail("five", 1)).unwrap() > ids[3]);
}

#[test]
fn the_newest_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (mut few, changes) = options(folder.path());
    few.most_mails = 3;
    few.most_bytes = 2_000;
    let inbox = Inbox::open(few).unwrap().0;
    for subject in ["1", "2", "3", "4"] {
        inbox.add(&mail(subject, 10)).unwrap();
    }
    let subjects = |inbox: &Inbox| {
        inbox
            .list("", None, 10)
            .mails
            .into_iter()
            .map(|mail| mail.subject)
            .collect::<Vec<_>>()
    };
    assert_eq!(subjects(&inbox), ["4", "3", "2"]);
    inbox.add(&mail("5", 1_790)).unwrap();
    assert_eq!(subjects(&inbox), ["5", "4"]);
    // One that is larger than all room is the newest, and stays alone.
    inbox.add(&mail("6", 5_000)).unwrap();
    assert_eq!(subjects(&inbox), ["6"]);
    assert_eq!(files(folder.path()).len(), 2);
    assert_eq!(inbox.status().bytes, 5_000 + 69);
    let deleted = changes
        .lock()
        .unwrap()
        .iter()
        .filter(|change| change.change == ChangeKind::Deleted)
        .count();
    assert_eq!(deleted, 5);
}

#[test]
fn pages_go_from_the_newest_to_the_oldest() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = open(&folder.path().join("not/there/yet"));
    for number in 0..7 {
        inbox.add(&mail(&number.to_string(), 1)).unwrap();
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = inbox.list("", after.as_deref(), 3);
        assert_eq!(page.count, 7);
        let Some(last) = page.mails.last() else { break };
        after = Some(last.id.clone());
        seen.extend(page.mails.into_iter().map(|mail| mail.subject));
    }
    assert_eq!(seen, ["6", "5", "4", "3", "2", "1", "0"]);
}

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
            })
        })
    });
    let address = serve(Arc::new(open(folder.path())), deliver).await;
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

#[test]
fn a_full_disk_loses_no_mail_that_was_kept() {
    SmallDisk::with(262_144, "a_full_disk_loses_no_mail_that_was_kept", |disk| {
        let state = disk.path().join("state");
        let (inbox, _) = Inbox::open(options(&state).0).unwrap();
        let kept = inbox.add(&mail("kept", 1_000)).unwrap();
        let error = inbox.add(&mail("large", 400_000)).unwrap_err();
        assert_eq!(error.code, codes::MAIL_NOT_KEPT);
        let full = disk.fill();
        assert_eq!(
            inbox.add(&mail("small", 10_000)).unwrap_err().code,
            codes::MAIL_NOT_KEPT
        );
        assert_eq!(
            inbox.read(std::slice::from_ref(&kept)).unwrap_err().code,
            codes::MAIL_NOT_KEPT
        );
        assert!(!inbox.list("", None, 1).mails[0].is_read);
        drop(full);
        assert_eq!(inbox.status().count, 1);
        assert_eq!(files(&state).len(), 2);
        inbox.read(std::slice::from_ref(&kept)).unwrap();
        inbox.add(&mail("again", 1_000)).unwrap();
        let (inbox, torn) = Inbox::open(options(&state).0).unwrap();
        assert_eq!((inbox.status().count, torn.len()), (2, 0));
        assert!(inbox.raw(&kept).unwrap().ends_with(b"xxx"));
    });
}
