//! Mail on the real workerd: `send_email` bindings, the capture service, `cloudflare:email` and `email()`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use lunora_diagnostics::codes;
use lunora_workerd::{EmailAnswer, EmailBinding, EmailContent, EmailOutcome, Mail, Tap, WorkerDescription};
use serde_json::{Value, json};
use support::{describe_source, post, start};
use tokio::net::UnixListener;

#[derive(Debug)]
struct Posted {
    target: String,
    content_type: String,
    body: Bytes,
}

/// An inbox that takes everything but what says `refuse`.
fn inbox(folder: &Path) -> (PathBuf, Arc<Mutex<Vec<Posted>>>) {
    let socket = folder.join("inbox.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let posted = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&posted);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let seen = Arc::clone(&seen);
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(
                TokioIo::new(stream),
                service_fn(move |request: Request<hyper::body::Incoming>| {
                    let seen = Arc::clone(&seen);
                    async move {
                        let target = request.uri().to_string();
                        let content_type = request
                            .headers()
                            .get("content-type")
                            .map_or(String::new(), |value| value.to_str().unwrap().to_owned());
                        let body = request.into_body().collect().await?.to_bytes();
                        let refuse = body.windows(6).any(|window| window == b"refuse");
                        seen.lock().unwrap().push(Posted {
                            target,
                            content_type,
                            body,
                        });
                        let answer = if refuse {
                            json!({ "error": { "code": "MAIL_INVALID", "message": "the mail is refused" } })
                        } else {
                            json!({ "id": "1", "messageId": "<1@x>" })
                        };
                        let status = if refuse { 400 } else { 200 };
                        Ok::<_, hyper::Error>(
                            Response::builder()
                                .status(status)
                                .body(Full::new(Bytes::from(answer.to_string())))
                                .unwrap(),
                        )
                    }
                }),
            ));
        }
    });
    (socket, posted)
}

const SENDER: &str = r#"
import { EmailMessage } from "cloudflare:email";
const attempt = async (send) => {
  try { return { value: await send() }; } catch (error) { return { error: String(error.message) }; }
};
export default {
  async fetch(request, env) {
    const { binding, from, to, raw, message } = await request.json();
    return Response.json(await attempt(() =>
      raw === undefined ? env[binding].send(message) : env[binding].send(new EmailMessage(from, to, raw))));
  },
  async email() {},
};
export class Other {}
"#;

fn describe(source: &str, socket: &Path) -> WorkerDescription {
    let mut description = describe_source(source);
    description.durable_objects.clear();
    let binding = |name: &str| EmailBinding {
        name: name.to_owned(),
        destination: None,
        allowed_destinations: None,
        allowed_senders: None,
    };
    description.mail = Some(Mail {
        socket: socket.to_owned(),
        bindings: vec![
            binding("ANY"),
            EmailBinding {
                destination: Some("one@x.example".to_owned()),
                ..binding("ONE")
            },
            EmailBinding {
                allowed_destinations: Some(vec!["a@x.example".to_owned(), "b@x.example".to_owned()]),
                ..binding("SOME")
            },
            EmailBinding {
                allowed_senders: Some(vec!["me@x.example".to_owned()]),
                ..binding("FROM")
            },
        ],
    });
    description
}

#[tokio::test(flavor = "multi_thread")]
async fn send_email_reaches_the_inbox_and_keeps_its_rules() {
    for lazily in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let (socket, posted) = inbox(folder.path());
        let handle = start(folder.path()).await;
        let mut description = describe(SENDER, &socket);
        description.new_module_registry = lazily;
        description.experimental = lazily;
        handle.update(description).await.unwrap();
        let send = async |body: Value| -> Value {
            let answer = post(&handle, "/", body.to_string()).await;
            serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("{}", answer.text()))
        };
        let raw = "From: me@x.example\r\nTo: you@x.example\r\nMessage-ID: <1@x>\r\n\r\nhello";
        let sent = send(json!({ "binding": "ANY", "from": "me@x.example", "to": "you+1@x.example", "raw": raw })).await;
        assert_eq!(sent, json!({ "value": { "messageId": "<1@x>" } }));
        {
            let posted = posted.lock().unwrap();
            assert!(
                posted[0]
                    .target
                    .ends_with("/mail?from=me%40x.example&to=you%2B1%40x.example&region="),
                "{}",
                posted[0].target
            );
            assert_eq!(posted[0].content_type, "message/rfc822");
            assert_eq!(posted[0].body, raw.as_bytes());
        }
        let message = json!({
            "from": { "email": "me@x.example", "name": "Me" }, "to": "You <you@x.example>", "subject": "Hi", "text": "hello",
            "attachments": [{ "filename": "a.txt", "type": "text/plain", "content": "aGVsbG8=", "disposition": "attachment" }],
        });
        assert_eq!(
            send(json!({ "binding": "ANY", "message": message })).await,
            json!({ "value": { "messageId": "<1@x>" } })
        );
        {
            let posted = posted.lock().unwrap();
            let body: Value = serde_json::from_slice(&posted[1].body).unwrap();
            assert_eq!(posted[1].content_type, "application/json");
            assert_eq!(body["to"], json!(["You <you@x.example>"]));
            assert_eq!(
                body["attachments"],
                json!([{ "name": "a.txt", "type": "text/plain", "content": "aGVsbG8=" }])
            );
            assert_eq!(body["region"], Value::Null);
        }
        let refused = async |binding: &str, from: &str, to: &str| {
            send(json!({ "binding": binding, "from": from, "to": to, "raw": raw })).await["error"].clone()
        };
        assert_eq!(
            refused("ONE", "me@x.example", "two@x.example").await,
            "email to two@x.example not allowed"
        );
        assert_eq!(refused("ONE", "me@x.example", "one@x.example").await, Value::Null);
        assert_eq!(
            refused("SOME", "me@x.example", "c@x.example").await,
            "email to c@x.example not allowed"
        );
        assert_eq!(refused("SOME", "me@x.example", "b@x.example").await, Value::Null);
        assert_eq!(
            refused("FROM", "you@x.example", "c@x.example").await,
            "email from you@x.example not allowed"
        );
        let hidden =
            json!({ "from": "me@x.example", "to": "a@x.example", "bcc": ["c@x.example"], "subject": "", "text": "" });
        assert_eq!(
            send(json!({ "binding": "SOME", "message": hidden })).await,
            json!({ "error": "email to c@x.example not allowed" })
        );
        let no = json!({ "from": "me@x.example", "to": "a@x.example", "subject": "refuse", "text": "" });
        assert_eq!(
            send(json!({ "binding": "ANY", "message": no })).await,
            json!({ "error": "the mail is refused" })
        );
        handle.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_pinned_app_sends_names_its_region() {
    let folder = tempfile::tempdir().unwrap();
    let (socket, posted) = inbox(folder.path());
    let handle = start(folder.path()).await;
    let mut description = describe(SENDER, &socket);
    description.jurisdictions.push("eu".to_owned());
    handle.update(description).await.unwrap();
    let raw = "From: me@x.example\r\nMessage-ID: <1@x>\r\n\r\nhello";
    post(
        &handle,
        "/",
        json!({ "binding": "ANY", "from": "me@x.example", "to": "a@b.example", "raw": raw }).to_string(),
    )
    .await;
    let target = posted.lock().unwrap()[0].target.clone();
    assert!(target.ends_with("region=eu"), "{target}");
    handle.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_capture_transport_has_its_service() {
    let folder = tempfile::tempdir().unwrap();
    let (socket, posted) = inbox(folder.path());
    let handle = start(folder.path()).await;
    let source = "export default { async fetch(request, env) { return env.__lunora_mail.fetch('http://lunora.mail/mail', { method: 'POST', body: '{\"a\":1}' }); } };";
    handle.update(describe(source, &socket)).await.unwrap();
    assert_eq!(
        post(&handle, "/", "").await.text(),
        "{\"id\":\"1\",\"messageId\":\"<1@x>\"}"
    );
    assert_eq!(posted.lock().unwrap()[0].body, "{\"a\":1}");

    // Without development there is none of it.
    let mut description = describe(
        "export default { fetch: (request, env) => Response.json(Object.keys(env)) };",
        &socket,
    );
    description.mail = None;
    handle.update(description).await.unwrap();
    assert_eq!(post(&handle, "/", "").await.text(), "[]");
    handle.close().await;
}

const RECEIVER: &str = r#"
import { EmailMessage } from "cloudflare:email";
let seen;
export default {
  fetch: async () => Response.json(seen),
  async email(message, env, context) {
    const raw = await new Response(message.raw).text();
    seen = { from: message.from, to: message.to, size: message.rawSize, raw, subject: message.headers.get("subject"), env: typeof env, context: typeof context?.waitUntil };
    const subject = seen.subject;
    if (subject === "reject") message.setReject("no such user");
    if (subject === "throw") throw new Error("broken");
    if (subject === "forward") await message.forward("next@x.example", new Headers({ "X-Via": "us" }));
    if (subject === "reply") await message.reply(new EmailMessage(message.to, message.from, "From: a@b\r\nSubject: re\r\n\r\nthanks"));
    if (subject === "reply in words") await message.reply({ from: { email: message.to, name: "App" }, subject: "re", text: "thanks", headers: { "X-A": "b" },
      attachments: [{ filename: "a.bin", type: "application/octet-stream", content: new Uint8Array([1, 2]), disposition: "attachment" }] });
    if (subject === "reply elsewhere") await message.reply(new EmailMessage(message.to, "other@x.example", "Subject: re\r\n\r\nthanks"));
  },
};
"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_handler_gets_the_mail_and_what_it_does_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (socket, _) = inbox(folder.path());
    let handle = start(folder.path()).await;
    let mut description = describe(RECEIVER, &socket);
    description.has_events = true;
    handle.update(description).await.unwrap();
    let deliver = async |subject: &str| {
        let raw = format!("Subject: {subject}\r\nMessage-ID: <1@x>\r\n\r\nh\u{e9}llo");
        let headers = [
            ("Subject".to_owned(), subject.to_owned()),
            ("Message-ID".to_owned(), "<1@x>".to_owned()),
            ("X Bad".to_owned(), "\u{e9}".to_owned()),
        ];
        handle
            .events()
            .email("me+1@x.example", "app@x.example", &headers, raw.as_bytes())
            .await
    };
    assert_eq!(
        deliver("hello & more").await.unwrap(),
        EmailAnswer {
            outcome: EmailOutcome::Accepted,
            forwards: vec![],
            replies: vec![],
            call: None,
        }
    );
    let seen: Value = serde_json::from_slice(&post(&handle, "/", "").await.body).unwrap();
    assert_eq!(
        seen,
        json!({ "from": "me+1@x.example", "to": "app@x.example", "size": 50, "raw": "Subject: hello & more\r\nMessage-ID: <1@x>\r\n\r\nh\u{e9}llo",
            "subject": "hello & more", "env": "object", "context": "function" })
    );
    for _ in 0..50 {
        let answer = deliver("reject").await.unwrap();
        assert_eq!(answer.outcome, EmailOutcome::Rejected("no such user".to_owned()));
    }
    assert_eq!(
        deliver("throw").await.unwrap().outcome,
        EmailOutcome::Failed("Error: broken".to_owned())
    );
    let EmailAnswer { outcome, forwards, .. } = deliver("forward").await.unwrap();
    assert_eq!(outcome, EmailOutcome::Accepted);
    assert_eq!(forwards[0].to, "next@x.example");
    assert_eq!(forwards[0].headers, [("x-via".to_owned(), "us".to_owned())]);
    let replies = deliver("reply").await.unwrap().replies;
    assert_eq!(
        (replies[0].from.as_str(), replies[0].to.as_str()),
        ("app@x.example", "me+1@x.example")
    );
    assert_eq!(
        replies[0].content,
        EmailContent::Raw(b"From: a@b\r\nSubject: re\r\n\r\nthanks".to_vec())
    );
    let replies = deliver("reply in words").await.unwrap().replies;
    assert_eq!(
        (replies[0].from.as_str(), replies[0].to.as_str()),
        ("app@x.example", "me+1@x.example")
    );
    assert_eq!(
        replies[0].content,
        EmailContent::Described(
            json!({ "from": { "email": "app@x.example", "name": "App" }, "to": "me+1@x.example", "subject": "re", "text": "thanks",
            "headers": { "X-A": "b", "In-Reply-To": "<1@x>", "References": "<1@x>" },
            "attachments": [{ "name": "a.bin", "type": "application/octet-stream", "content": "AQI=" }] })
        )
    );
    let EmailAnswer { outcome, replies, .. } = deliver("reply elsewhere").await.unwrap();
    assert!(
        matches!(&outcome, EmailOutcome::Failed(text) if text.contains("sender of the mail")),
        "{outcome:?}"
    );
    assert!(replies.is_empty());
    handle.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_without_a_handler_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (socket, _) = inbox(folder.path());
    let handle = start(folder.path()).await;
    let mut description = describe("export default { fetch: () => new Response() };", &socket);
    description.has_events = true;
    handle.update(description).await.unwrap();
    let error = handle
        .events()
        .email("a@b", "c@d", &[], b"Subject: x\r\n\r\n")
        .await
        .unwrap_err();
    assert_eq!(error.code, codes::MAIL_NO_HANDLER, "{error:?}");
    handle.close().await;
}

/// An observer as small as can be: what is told is there to be read.
const OBSERVER: &str = r#"
import { AsyncLocalStorage } from "node:async_hooks";
const scopes = new AsyncLocalStorage();
const told = [];
let ids = 0;
globalThis.told = told;
globalThis[Symbol.for("lunora.observer")] = {
  tell: ({ at, ms, ...event }) => told.push(event),
  nextId: () => `call${ids += 1}`,
  within: (scope, run) => scopes.run(scope, run),
  current: () => scopes.getStore(),
};
"#;

const OBSERVED: &str = r#"
import { EmailMessage } from "cloudflare:email";
import { WorkerEntrypoint } from "cloudflare:workers";
const observer = globalThis[Symbol.for("lunora.observer")];
const raw = "From: me@x.example\r\nMessage-ID: <1@x>\r\n\r\nhello";
export default class extends WorkerEntrypoint {
  async fetch() {
    await observer.within({ call: "a", functionPath: "people:invite" }, async () => {
      await this.env.ANY.send({ from: "me@x.example", to: "you@x.example", subject: "Hi", text: "hello" });
      await this.env.ANY.send(new EmailMessage("me@x.example", "you@x.example", raw));
    });
    await this.env.ANY.send({ from: "me@x.example", to: "you@x.example", subject: "Hi", text: "hello" });
    return Response.json(globalThis.told);
  }
  async email(message) {
    observer.tell({ type: "seen", ...observer.current() });
    if (message.headers.get("subject") === "throw") throw new TypeError("broken");
    message.setReject("no");
  }
}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_observed_says_which_call_sends_and_takes_mail() {
    for lazily in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let (socket, posted) = inbox(folder.path());
        let handle = start(folder.path()).await;
        let mut description = describe(OBSERVED, &socket);
        description.has_events = true;
        description.new_module_registry = lazily;
        description.tap = Some(Tap {
            source: OBSERVER.into(),
            socket: socket.clone(),
        });
        handle.update(description).await.unwrap();
        let deliver = async |subject: &str| {
            let headers = [("Subject".to_owned(), subject.to_owned())];
            let raw = format!("Subject: {subject}\r\n\r\n");
            handle
                .events()
                .email("a@b", "c@d", &headers, raw.as_bytes())
                .await
                .unwrap()
        };
        let rejected = deliver("reject").await;
        assert_eq!(
            (rejected.outcome, rejected.call.as_deref()),
            (EmailOutcome::Rejected("no".to_owned()), Some("call1"))
        );
        let failed = deliver("throw").await;
        assert_eq!(
            (failed.outcome, failed.call.as_deref()),
            (EmailOutcome::Failed("TypeError: broken".to_owned()), Some("call2"))
        );
        let told: Value = serde_json::from_slice(&post(&handle, "/", "").await.body).unwrap();
        let seen = |call: &str| json!({ "type": "seen", "call": call, "functionPath": "email()" });
        let ended = |call: &str, status: u16| json!({ "type": "request", "call": call, "path": "email()", "userId": null, "status": status });
        assert_eq!(
            told,
            json!([seen("call1"), ended("call1", 550), seen("call2"), ended("call2", 500)])
        );

        handle.close().await;
        let posted = posted.lock().unwrap();
        let body = |at: usize| serde_json::from_slice::<Value>(&posted[at].body).unwrap();
        assert_eq!(
            (&body(0)["call"], &body(0)["functionPath"]),
            (&json!("a"), &json!("people:invite"))
        );
        assert!(
            posted[1]
                .target
                .ends_with("&region=&call=a&functionPath=people%3Ainvite"),
            "{}",
            posted[1].target
        );
        assert_eq!(
            (&body(2)["call"], &body(2)["functionPath"]),
            (&Value::Null, &Value::Null)
        );
    }
}
