//! A running inspector, and a client that says exactly what it is told to.

#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use lunora_inspector::mail::{Deliver, InboxOptions};
use lunora_inspector::timeline::Limits;
use lunora_inspector::{ChaosChanged, Inspector, InspectorOptions, SCHEMA};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

/// Fails unless the value is what the published schema calls `name`.
pub fn conforms(name: &str, value: &Value) {
    let mut schema: Value = serde_json::from_str(SCHEMA).unwrap();
    assert!(schema["$defs"][name].is_object(), "{name}");
    schema["$ref"] = format!("#/$defs/{name}").into();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let faults: Vec<String> = validator
        .iter_errors(value)
        .map(|fault| format!("{}: {fault}", fault.instance_path))
        .collect();
    assert!(faults.is_empty(), "{name}: {faults:?} in {value:#}");
}

pub struct Running {
    pub inspector: Inspector,
    pub folder: tempfile::TempDir,
    pub authority: String,
    pub token: String,
}

/// An answer as it came.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines();
        lines.find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

pub async fn start(worker: Option<(String, String)>, limits: Limits) -> Running {
    start_with(worker, limits, None).await
}

/// `deliver` is what takes simulated mail; with it there is an inbox.
pub async fn start_with(worker: Option<(String, String)>, limits: Limits, deliver: Option<Deliver>) -> Running {
    start_as(worker, limits, deliver, Arc::new(drop)).await
}

/// `changed` hears of chaos.
pub async fn start_telling(worker: Option<(String, String)>, changed: ChaosChanged) -> Running {
    start_as(worker, Limits::default(), None, changed).await
}

async fn start_as(
    worker: Option<(String, String)>,
    limits: Limits,
    deliver: Option<Deliver>,
    chaos_changed: ChaosChanged,
) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let inspector = Inspector::start(InspectorOptions {
        root: folder.path().to_owned(),
        port: 0,
        limits,
        app: "sample".to_owned(),
        version: "0.0.0".to_owned(),
        worker,
        residency: Arc::new(|| Ok(json!({ "root": "/x", "jurisdiction": "eu", "classes": [], "tables": [] }))),
        mail: deliver.map(|deliver| (InboxOptions::new(folder.path().join("state")), deliver)),
        chaos_changed,
        clock: Arc::new(SystemTime::now),
    })
    .await
    .unwrap();
    let authority = inspector.origin().strip_prefix("http://").unwrap().to_owned();
    let token = inspector.url().split_once("#token=").unwrap().1.to_owned();
    Running {
        inspector,
        folder,
        authority,
        token,
    }
}

/// One request on a connection of its own, which the server closes.
pub async fn raw(mut stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin, bytes: &[u8]) -> Answer {
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer))
        .await
        .unwrap()
        .unwrap();
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap_or_else(|| panic!("{:?}", String::from_utf8_lossy(&answer)));
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let mut body = answer[end + 4..].to_vec();
    if head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        body = unchunked(&body);
    }
    Answer {
        status: head[9..12].parse().unwrap(),
        head,
        body,
    }
}

/// The status that is answered to a body, which the server may stop reading half-way.
pub async fn status_of_long_body(
    stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    head: &str,
    body: &str,
) -> String {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let length = body.len();
    let sending = async {
        let head = format!("{head}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
        writer.write_all(head.as_bytes()).await.unwrap();
        // Fails when the server has seen enough.
        drop(writer.write_all(body.as_bytes()).await);
        std::future::pending::<()>().await;
    };
    let mut status = [0; 12];
    let reading = tokio::time::timeout(Duration::from_secs(20), reader.read_exact(&mut status));
    tokio::select! {
        () = sending => {}
        read = reading => drop(read.unwrap().unwrap()),
    }
    String::from_utf8(status[9..].to_vec()).unwrap()
}

fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = body.windows(2).position(|window| window == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&body[..end]).unwrap(), 16).unwrap();
        whole.extend_from_slice(&body[end + 2..end + 2 + length]);
        body = &body[(end + 4 + length).min(body.len())..];
    }
    whole
}

impl Running {
    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.authority).await.unwrap()
    }

    /// A request with these lines besides `Host`.
    pub async fn ask(&self, line: &str, headers: &[&str], body: &str) -> Answer {
        let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        let text = format!(
            "{line} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{headers}\r\n{body}",
            self.authority
        );
        raw(self.connect().await, text.as_bytes()).await
    }

    pub fn bearer(&self) -> String {
        format!("authorization: Bearer {}", self.token)
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path}"), &[&self.bearer()], "").await
    }

    pub async fn post(&self, path: &str, body: &str) -> Answer {
        let length = format!("content-length: {}", body.len());
        let headers = [&self.bearer(), "content-type: application/json", &length];
        self.ask(&format!("POST {path}"), &headers, body).await
    }

    /// As the worker's tap tells it.
    pub async fn tell(&self, events: &[Value]) -> Answer {
        let mut body = json!({ "region": "eu", "now": 1 }).to_string();
        for event in events {
            body.push('\n');
            body.push_str(&event.to_string());
        }
        self.tell_text(&body).await
    }

    pub async fn tell_text(&self, body: &str) -> Answer {
        self.send("/events", body).await
    }

    /// To the private socket.
    pub async fn send(&self, path: &str, body: &str) -> Answer {
        let stream = UnixStream::connect(self.inspector.tap_socket()).await.unwrap();
        let length = body.len();
        let text =
            format!("POST {path} HTTP/1.1\r\nhost: tap\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
        raw(stream, text.as_bytes()).await
    }
}

/// What a small app tells: a mutation that two sockets see, and a line that it logs.
pub fn sample() -> Vec<Value> {
    vec![
        json!({ "type": "socket", "at": 1, "object": "rooms:1", "socket": "s1", "state": "opened", "userId": null }),
        json!({ "type": "call", "at": 2, "call": "a", "object": "rooms:1", "kind": "mutation", "functionPath": "rooms:say",
                "args": "{}", "userId": "ada", "outcome": "ok", "ms": 1, "fromSeq": 4, "toSeq": 6 }),
        json!({ "type": "log", "at": 2, "call": "a", "level": "info", "text": "Said <something>" }),
        json!({ "type": "commit", "at": 3, "object": "rooms:1", "epoch": "e", "fromSeq": 4, "toSeq": 6, "by": "calls",
                "calls": [{ "call": "a", "functionPath": "rooms:say", "fromSeq": 4, "toSeq": 6 }],
                "changes": [{ "seq": 5, "table": "t", "id": "1", "op": "insert", "after": "{}" },
                            { "seq": 6, "table": "t", "id": "2", "op": "delete", "before": "{}" }] }),
        json!({ "type": "poke", "at": 4, "object": "rooms:1", "socket": "s1", "fromSeq": 4, "toSeq": 6, "frames": 1,
                "bytes": 10, "subscriptions": [], "calls": ["a"], "ms": 0 }),
        json!({ "type": "request", "at": 5, "call": "a", "path": "/_lunora/rpc", "userId": "ada", "status": 200, "ms": 2 }),
    ]
}
