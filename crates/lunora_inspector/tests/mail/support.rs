//! An inbox on disk that is served on loopback, and somebody who asks it.

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
    Deliver, Direction, HandlerLogs, Inbox, InboxOptions, MailChange, NewMail, Simulation, capture_router, router,
};
use lunora_inspector::tickets::Tickets;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};

pub(crate) type Changes = Arc<Mutex<Vec<MailChange>>>;

pub(crate) fn options(state: &Path) -> (InboxOptions, Changes) {
    let changes = Changes::default();
    let told = Arc::clone(&changes);
    let clock = AtomicU64::new(1_800_000_000_000);
    let mut options = InboxOptions::new(state);
    options.clock = Arc::new(move || clock.fetch_add(1, Ordering::SeqCst));
    options.changed = Arc::new(move |change| told.lock().unwrap().push(change));
    (options, changes)
}

pub(crate) fn open(state: &Path) -> Inbox {
    let (inbox, torn) = Inbox::open(options(state).0).unwrap();
    assert_eq!(torn, []);
    inbox
}

pub(crate) fn mail(subject: &str, size: usize) -> NewMail {
    let raw = format!(
        "From: a@b.example\r\nTo: c@d.example\r\nSubject: {subject}\r\nMessage-ID: <1@x>\r\n\r\n{}",
        "x".repeat(size)
    );
    NewMail::new(raw.into_bytes(), Direction::Sent)
}

pub(crate) fn nobody() -> Deliver {
    Arc::new(|_| {
        Box::pin(async {
            Err(Diagnostic::error(
                codes::MAIL_NO_HANDLER,
                "the worker has no `email()` handler",
            ))
        })
    })
}

/// Nothing was logged.
fn silent() -> HandlerLogs {
    Arc::new(|_| Box::pin(async { None }))
}

pub(crate) async fn serve(inbox: Arc<Inbox>, deliver: Deliver) -> SocketAddr {
    serve_with(inbox, deliver, silent()).await
}

pub(crate) async fn serve_with(inbox: Arc<Inbox>, deliver: Deliver, logs: HandlerLogs) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let simulation = Simulation {
        deliver,
        logs,
        region: Arc::new(|| None),
    };
    let app = router(Arc::clone(&inbox), simulation, Tickets::new("secret")).merge(capture_router(inbox));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    address
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) async fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    content_type: &str,
    body: impl Into<Bytes>,
) -> Answer {
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

pub(crate) async fn get(address: SocketAddr, path: &str) -> Answer {
    send(address, "GET", path, "", "").await
}

pub(crate) async fn post(address: SocketAddr, path: &str, body: Value) -> Answer {
    send(address, "POST", path, "application/json", body.to_string()).await
}

/// Files below a folder, by their path.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
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
