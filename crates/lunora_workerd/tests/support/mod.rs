//! A worker with a Durable Object, and a plain HTTP client.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::rt::TokioIo;
use lunora_workerd::{
    DurableObject, FunctionKind, Module, StartOptions, WorkerDescription, WorkerdEvent, WorkerdHandle,
};
use tokio::net::TcpStream;
use tokio::sync::broadcast;

/// A worker that tells its `version`, keeps rows, answers slowly, streams and speaks WebSocket.
pub fn source(version: &str) -> String {
    include_str!("worker.js").replace("__VERSION__", version)
}

pub fn describe(version: &str) -> WorkerDescription {
    describe_source(&source(version))
}

pub fn describe_source(source: &str) -> WorkerDescription {
    let mut description = WorkerDescription::new(Module::javascript("worker.js", source), "2026-04-01");
    description.modules.push(Module::javascript(
        "lazy.js",
        "export function boom() {\n  throw new Error(\"deep boom\");\n}\n",
    ));
    description.durable_objects.push(DurableObject {
        binding: "SHARD".to_owned(),
        class_name: "Shard".to_owned(),
        unique_key: "test-Shard".to_owned(),
    });
    description.functions = Arc::new(BTreeMap::from([
        ("rows:add".to_owned(), FunctionKind::Mutation),
        ("rows:act".to_owned(), FunctionKind::Action),
    ]));
    description
}

/// Options with the workspace's workerd and a state folder of its own.
pub fn options(state: &Path) -> StartOptions {
    let mut options = StartOptions::new(env!("CARGO_MANIFEST_DIR"));
    options.state_directory = state.join("state");
    options.command = "test".to_owned();
    options
}

pub async fn start(state: &Path) -> WorkerdHandle {
    WorkerdHandle::start(options(state)).await.unwrap()
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The code of an error in the envelope.
    pub fn code(&self) -> Option<String> {
        let value: serde_json::Value = serde_json::from_slice(&self.body).ok()?;
        Some(value["error"]["code"].as_str()?.to_owned())
    }
}

/// Sends one request on a connection of its own. `None` when the connection broke.
pub async fn try_send(port: u16, request: Request<Full<Bytes>>) -> Option<Answer> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
    let running = tokio::spawn(connection);
    let response = sender.send_request(request).await.ok()?;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.ok()?.to_bytes();
    running.abort();
    Some(Answer {
        status: parts.status,
        headers: parts.headers,
        body,
    })
}

pub async fn send(port: u16, request: Request<Full<Bytes>>) -> Answer {
    tokio::time::timeout(Duration::from_secs(60), try_send(port, request))
        .await
        .expect("an answer in a minute")
        .expect("an answer")
}

pub fn request(port: u16, method: &str, path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", format!("127.0.0.1:{port}"))
        .body(Full::new(body.into()))
        .unwrap()
}

pub async fn get(handle: &WorkerdHandle, path: &str) -> Answer {
    send(handle.port(), request(handle.port(), "GET", path, "")).await
}

pub async fn post(handle: &WorkerdHandle, path: &str, body: impl Into<Bytes>) -> Answer {
    send(handle.port(), request(handle.port(), "POST", path, body)).await
}

/// Waits for an event that `found` accepts.
pub async fn wait_for<T>(
    events: &mut broadcast::Receiver<WorkerdEvent>,
    mut found: impl FnMut(&WorkerdEvent) -> Option<T>,
) -> T {
    let search = async {
        loop {
            let event = events.recv().await.expect("events go on");
            if let Some(value) = found(&event) {
                return value;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), search)
        .await
        .expect("the event within 30 s")
}

pub fn is_alive(process_id: u32) -> bool {
    // A zombie has ended; its parent has only not looked yet.
    std::fs::read_to_string(format!("/proc/{process_id}/stat")).is_ok_and(|stat| {
        !stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .trim_start()
            .starts_with('Z')
    })
}

pub fn kill(process_id: u32) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(process_id).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

pub async fn until_dead(process_id: u32) {
    let gone = async {
        while is_alive(process_id) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone)
        .await
        .expect("the process ends");
}
