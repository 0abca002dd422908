//! `lunora mail` against the real inbox.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/command.rs"]
mod command;

use std::sync::Arc;

use axum::routing::get;
use axum::{Json, Router};
use command::lunora;
use lunora_inspector::mail::{
    Deliver, Delivered, Direction, Inbox, InboxOptions, NewMail, OutcomeKind, Simulation, router,
};
use lunora_inspector::tickets::Tickets;
use lunora_testing::TempProject;
use serde_json::{Value, json};

struct Development {
    project: TempProject,
    inbox: Arc<Inbox>,
}

impl Development {
    async fn start() -> Self {
        let project = TempProject::new([("package.json", "{}"), ("lunora/schema.ts", "")]);
        let inbox = Arc::new(Inbox::open(InboxOptions::new(project.path(".lunora/state"))).unwrap().0);
        let deliver: Deliver = Arc::new(|delivery| {
            Box::pin(async move {
                let is_wanted = delivery.to == "app@a.example";
                Ok(Delivered {
                    outcome: if is_wanted {
                        OutcomeKind::Accepted
                    } else {
                        OutcomeKind::Rejected
                    },
                    reason: (!is_wanted).then(|| "no such user".to_owned()),
                    forwarded: Vec::new(),
                    replies: Vec::new(),
                    call: is_wanted.then(|| "m1".to_owned()),
                })
            })
        });
        let line = json!({ "level": "warn", "text": "for \u{1b}[31mapp" });
        let simulation = Simulation {
            deliver,
            logs: Arc::new(move |_| {
                let line = line.clone();
                Box::pin(async move { Some(vec![line]) })
            }),
            region: Arc::new(|| None),
        };
        let app = router(Arc::clone(&inbox), simulation, Tickets::new("secret"))
            .merge(Router::new().route("/api/status", get(async || Json(json!({})))));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        let entry = json!({ "origin": origin, "token": "t", "pid": std::process::id() });
        std::fs::create_dir_all(project.path(".lunora")).unwrap();
        std::fs::write(project.path(".lunora/inspector.json"), entry.to_string()).unwrap();
        Self { project, inbox }
    }

    async fn lunora(&self, arguments: &[&str]) -> (u8, String, String) {
        lunora(&self.project, &[&["mail"], arguments].concat()).await
    }

    fn add(&self, subject: &str) -> String {
        let raw = format!(
            "From: app@a.example\r\nTo: Ann <ann@b.example>\r\nSubject: {subject}\r\nMessage-ID: <1@x>\r\nContent-Type: text/html\r\n\r\n<p>Your code is <b>493021</b></p>"
        );
        self.inbox
            .add(&NewMail::new(raw.into_bytes(), Direction::Sent))
            .unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_are_listed_shown_and_cleared() {
    let app = Development::start().await;
    let (code, stdout, _) = app.lunora(&["list"]).await;
    assert_eq!((code, stdout.as_str()), (0, "no mails\n"));
    let id = app.add("Sign in");
    app.add("Welcome");
    let (_, stdout, _) = app.lunora(&["list", "--search", "subject:sign is:unread"]).await;
    assert!(
        stdout.contains(&id) && stdout.contains("Sign in") && stdout.ends_with("1 mail\n"),
        "{stdout}"
    );
    let (_, stdout, _) = app.lunora(&["list", "--json", "--limit", "1"]).await;
    let listed: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(
        (&listed["count"], listed["mails"].as_array().map(Vec::len)),
        (&json!(2), Some(1))
    );

    let (_, stdout, _) = app.lunora(&["show", &id]).await;
    assert!(stdout.contains("codes       493021\n"), "{stdout}");
    let (_, stdout, _) = app.lunora(&["show", &id, "--html"]).await;
    assert_eq!(stdout, "<p>Your code is <b>493021</b></p>\n");
    let (_, stdout, _) = app.lunora(&["show", &id, "--raw"]).await;
    assert!(stdout.starts_with("From: app@a.example\r\n"), "{stdout}");
    let (code, _, stderr) = app.lunora(&["show", "../status"]).await;
    assert!(code == 1 && stderr.contains("NOT_FOUND"), "{stderr}");

    let (code, _, _) = app.lunora(&["clear"]).await;
    assert_eq!((code, app.inbox.status().count), (2, 2));
    let (code, _, _) = app.lunora(&["clear", "--yes"]).await;
    assert_eq!((code, app.inbox.status().count), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_is_waited_for() {
    let app = Development::start().await;
    app.add("Other");
    let (code, stdout, _) = app
        .lunora(&[
            "wait",
            "--to",
            "ann@",
            "--subject",
            "Sign \"in\"",
            "--timeout",
            "0",
            "--json",
        ])
        .await;
    let refused: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &refused["error"]["code"]), (1, &json!("MAIL_NOT_FOUND")));
    let waiting = app.lunora(&["wait", "--to", "ann@", "--subject", "Sign in", "--json"]);
    let coming = async {
        tokio::task::yield_now().await;
        app.add("Sign in now");
    };
    let ((code, stdout, _), ()) = tokio::join!(waiting, coming);
    let found: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(
        (code, &found["subject"], &found["codes"]),
        (0, &json!("Sign in now"), &json!(["493021"]))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_is_delivered_and_its_outcome_told() {
    let app = Development::start().await;
    let mail = [
        "send-inbound",
        "--from",
        "ann@b.example",
        "--subject",
        "hi",
        "--text",
        "hello",
    ];
    let (code, stdout, _) = app.lunora(&[&mail[..], &["--to", "app@a.example"]].concat()).await;
    // What the handler logged follows, without what would move a terminal's cursor.
    assert_eq!((code, stdout.as_str()), (0, "accepted\n  warn for \\u{1b}[31mapp\n"));
    let (code, stdout, _) = app.lunora(&[&mail[..], &["--to", "other@a.example"]].concat()).await;
    assert_eq!((code, stdout.as_str()), (1, "rejected no such user\n"));
    std::fs::write(app.project.path("a.eml"), "Message-ID: <2@x>\r\nSubject: raw\r\n\r\nx").unwrap();
    let raw = [
        "send-inbound",
        "--from",
        "ann@b.example",
        "--to",
        "app@a.example",
        "--raw",
        "a.eml",
    ];
    assert_eq!(app.lunora(&raw).await.0, 0);
    assert_eq!(app.inbox.list("", None, 1).mails[0].subject, "raw");
    let (code, _, stderr) = app
        .lunora(&["send-inbound", "--from", "nobody", "--to", "app@a.example"])
        .await;
    assert!(code == 1 && stderr.contains("MAIL_INVALID"), "{stderr}");
}
