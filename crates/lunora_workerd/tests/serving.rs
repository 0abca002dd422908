//! A worker that starts, answers, logs and ends, on the real workerd.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::StatusCode;
use hyper::header::HeaderValue;
use hyper_util::rt::TokioIo;
use lunora_diagnostics::codes;
use lunora_workerd::{
    Binding, BindingValue, LogLevel, LogSource, Module, ModuleBody, PortChoice, ReloadOutcome, SourcePosition,
    StackRemapper, WorkerdEvent, WorkerdHandle,
};
use support::{describe, describe_source, get, is_alive, options, post, request, send, start, until_dead, wait_for};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[tokio::test]
async fn starts_answers_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let handle = start(folder.path()).await;
    let outcome = handle.update(describe("one")).await.unwrap();
    assert!(
        matches!(outcome, ReloadOutcome::Serving { generation: 1, .. }),
        "{outcome:?}"
    );
    assert_eq!(get(&handle, "/version").await.text(), "one");
    assert_eq!(post(&handle, "/add", "a").await.text(), "{\"result\":1}");
    assert!(folder.path().join("state/none/do/test-Shard").is_dir());
    let process = handle.process_id().unwrap();
    assert!(is_alive(process));
    handle.close().await;
    handle.close().await;
    assert!(!is_alive(process));
    let late = handle.update(describe("two")).await.unwrap_err();
    assert_eq!(late.code, codes::WORKER_CLOSED);
    assert!(
        TcpStream::connect(("127.0.0.1", handle.port())).await.is_err(),
        "the port is free again"
    );

    let again = start(folder.path()).await;
    again.update(describe("two")).await.unwrap();
    assert_eq!(get(&again, "/rows").await.text(), "[\"a\"]");
}

#[tokio::test]
async fn requests_wait_for_the_first_worker_but_not_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let mut with_limit = options(folder.path());
    with_limit.hold_limit = Duration::from_millis(100);
    let handle = WorkerdHandle::start(with_limit).await.unwrap();
    let answer = get(&handle, "/version").await;
    assert_eq!(
        (answer.status, answer.code().as_deref()),
        (StatusCode::SERVICE_UNAVAILABLE, Some("RELOADING"))
    );
    handle.close().await;

    let handle = Arc::new(start(folder.path()).await);
    let waiting = tokio::spawn({
        let handle = Arc::clone(&handle);
        async move { get(&handle, "/version").await.text() }
    });
    handle.update(describe("one")).await.unwrap();
    assert_eq!(waiting.await.unwrap(), "one");
}

#[tokio::test]
async fn every_kind_of_module_and_binding() {
    let folder = tempfile::tempdir().unwrap();
    let handle = start(folder.path()).await;
    let mut description = describe_source(
        "import json from \"./a.json\"; import text from \"./a.txt\"; import data from \"./a.bin\"; import wasm from \"./a.wasm\";
         export class Shard {}
         export default { fetch: (request, env) => Response.json([json, text, new Uint8Array(data).length, wasm instanceof WebAssembly.Module, env.TEXT, env.SECRET, env.JSON]) };",
    );
    for (name, body) in [
        ("a.json", ModuleBody::Json("{\"a\":\"\\u20ac\"}".into())),
        ("a.txt", ModuleBody::Text("line \"one\"\n\u{20ac}".into())),
        ("a.bin", ModuleBody::Data(vec![0, 1, 255].into())),
        ("a.wasm", ModuleBody::Wasm(vec![0, 0x61, 0x73, 0x6d, 1, 0, 0, 0].into())),
    ] {
        description.modules.push(Module {
            name: name.into(),
            body,
        });
    }
    for (name, value) in [
        ("TEXT", BindingValue::Text("plain \\ \" text".into())),
        ("SECRET", BindingValue::Secret("s3cret = \u{20ac}".into())),
        ("JSON", BindingValue::Json("{\"b\":[1]}".into())),
    ] {
        description.bindings.push(Binding {
            name: name.into(),
            value,
        });
    }
    handle.update(description).await.unwrap();
    assert_eq!(
        get(&handle, "/").await.text(),
        "[{\"a\":\"\u{20ac}\"},\"line \\\"one\\\"\\n\u{20ac}\",3,true,\"plain \\\\ \\\" text\",\"s3cret = \u{20ac}\",{\"b\":[1]}]"
    );
}

struct Lazy;

impl StackRemapper for Lazy {
    fn remap(&self, module: &str, line: u32, _: u32) -> Option<SourcePosition> {
        let file = match module {
            "lazy.js" => "lunora/lazy.ts",
            "worker.js" => "lunora/worker.ts",
            _ => return None,
        };
        Some(SourcePosition {
            file: file.to_owned(),
            line: line + 100,
            column: 7,
        })
    }
}

#[tokio::test]
async fn console_and_exceptions_reach_the_events_with_source_positions() {
    let folder = tempfile::tempdir().unwrap();
    let handle = start(folder.path()).await;
    let mut events = handle.subscribe();
    let mut description = describe("one");
    description.stack_remapper = Some(Arc::new(Lazy));
    handle.update(description).await.unwrap();
    get(&handle, "/log").await;
    let mut next_log = async || {
        wait_for(&mut events, |event| match event {
            WorkerdEvent::Log(log) => Some(log.clone()),
            _ => None,
        })
        .await
    };
    let log = next_log().await;
    assert_eq!(
        (log.level, log.message.as_str(), log.source),
        (LogLevel::Log, "hello { a: 1 }", LogSource::Console)
    );
    let log = next_log().await;
    assert_eq!((log.level, log.message.as_str()), (LogLevel::Warn, "careful"));
    let log = next_log().await;
    assert_eq!(log.level, LogLevel::Error);
    assert!(
        log.message.starts_with("Error: logged\n    at ") && log.message.contains("lunora/worker.ts:1"),
        "{}",
        log.message
    );

    assert_eq!(get(&handle, "/boom").await.status, StatusCode::INTERNAL_SERVER_ERROR);
    let log = next_log().await;
    assert_eq!((log.level, log.source), (LogLevel::Error, LogSource::Exception));
    assert!(
        log.message.starts_with("Uncaught Error: deep boom\n"),
        "{}",
        log.message
    );
    assert!(log.message.contains("boom (lunora/lazy.ts:102:7)"), "{}", log.message);
}

#[tokio::test]
async fn output_that_nobody_reads_does_not_stop_the_worker() {
    let folder = tempfile::tempdir().unwrap();
    let handle = start(folder.path()).await;
    handle.update(describe("one")).await.unwrap();
    for _ in 0..3 {
        assert_eq!(get(&handle, "/flood").await.text(), "ok");
    }
}

#[tokio::test]
async fn bodies_and_headers_pass_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let handle = start(folder.path()).await;
    handle.update(describe("one")).await.unwrap();

    let large: Vec<u8> = (0..5_000_000_u32)
        .map(|number| number.to_le_bytes()[0] ^ number.to_le_bytes()[1])
        .collect();
    let echoed = post(&handle, "/echo", large.clone()).await;
    assert!(echoed.body == large, "5 MB come back as they went");

    let mut with_bytes = request(handle.port(), "GET", "/headers", "");
    with_bytes.headers_mut().insert(
        "x-bytes",
        HeaderValue::from_bytes("caf\u{e9} \u{20ac}".as_bytes()).unwrap(),
    );
    with_bytes
        .headers_mut()
        .insert("keep-alive", HeaderValue::from_static("timeout=1"));
    with_bytes
        .headers_mut()
        .append("cookie", HeaderValue::from_static("a=1"));
    let answer = send(handle.port(), with_bytes).await;
    let seen: Vec<(String, String)> = serde_json::from_slice(&answer.body).unwrap();
    let value = |name: &str| {
        seen.iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(value("x-bytes"), Some("caf\u{e9} \u{20ac}"));
    assert_eq!(value("cookie"), Some("a=1"));
    assert_eq!(value("keep-alive"), None);
    assert_eq!(value("host"), Some(&*format!("127.0.0.1:{}", handle.port())));

    let mut raw = TcpStream::connect(("127.0.0.1", handle.port())).await.unwrap();
    let head = format!(
        "HEAD /headers HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\n\r\n",
        handle.port()
    );
    raw.write_all(head.as_bytes()).await.unwrap();
    let mut text = String::new();
    raw.read_to_string(&mut text).await.unwrap();
    assert!(
        text.starts_with("HTTP/1.1 200 OK\r\n") && text.contains("X-Mixed-Case: kept"),
        "{text}"
    );
}

#[tokio::test]
async fn a_stream_arrives_part_by_part() {
    let folder = tempfile::tempdir().unwrap();
    let handle = start(folder.path()).await;
    handle.update(describe("one")).await.unwrap();
    let stream = TcpStream::connect(("127.0.0.1", handle.port())).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake::<_, Full<bytes::Bytes>>(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    let mut body = sender
        .send_request(request(handle.port(), "GET", "/stream", ""))
        .await
        .unwrap()
        .into_body();
    let mut parts = Vec::new();
    while let Some(frame) = body.frame().await {
        parts.push(frame.unwrap().into_data().unwrap());
    }
    assert!(parts.len() > 1, "all parts came at once");
    assert_eq!(parts.concat(), b"part 0\npart 1\npart 2\npart 3\npart 4\n");
}

#[tokio::test]
async fn strangers_are_turned_away() {
    let folder = tempfile::tempdir().unwrap();
    let handle = start(folder.path()).await;
    handle.update(describe("one")).await.unwrap();
    let with = |method: &str, headers: &[(&'static str, &str)]| {
        let mut request = request(handle.port(), method, "/add", "x");
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        send(handle.port(), request)
    };
    let answer = with("POST", &[("host", "evil.test")]).await;
    assert_eq!(
        (answer.status, answer.code().as_deref()),
        (StatusCode::FORBIDDEN, Some("HOST_NOT_ALLOWED"))
    );
    let answer = with("POST", &[("origin", "https://evil.test")]).await;
    assert_eq!(
        (answer.status, answer.code().as_deref()),
        (StatusCode::FORBIDDEN, Some("ORIGIN_NOT_ALLOWED"))
    );
    assert!(answer.headers.get("access-control-allow-origin").is_none());
    assert_eq!(get(&handle, "/rows").await.text(), "[]");
    handle.set_allowed_hosts(vec!["app.test".to_owned()]);
    assert_eq!(
        with("POST", &[("host", "app.test:5173"), ("origin", "http://app.test:5173")])
            .await
            .status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_second_start_is_told_who_holds_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let handle = start(folder.path()).await;
    let refused = WorkerdHandle::start(options(folder.path())).await.unwrap_err();
    assert_eq!(refused.code, codes::STATE_LOCKED);
    for part in [handle.url(), "`test`", &std::process::id().to_string()] {
        assert!(refused.message.contains(part), "{part} in {}", refused.message);
    }
    drop(handle);
    // Dropping does not wait; the folder is free as soon as the worker has ended.
    let mut attempts = 0;
    loop {
        match WorkerdHandle::start(options(folder.path())).await {
            Ok(_) => break,
            Err(refused) => assert_eq!(refused.code, codes::STATE_LOCKED),
        }
        attempts += 1;
        assert!(attempts < 1000, "never free again");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_taken_port_is_said_so_or_the_next_one_used() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut with_port = options(folder.path());
    with_port.port = PortChoice::Exact(port);
    let refused = WorkerdHandle::start(with_port.clone()).await.unwrap_err();
    assert_eq!(refused.code, codes::PORT_TAKEN);
    assert!(refused.message.contains(&port.to_string()));
    with_port.port = PortChoice::StartingAt(port);
    let handle = WorkerdHandle::start(with_port).await.unwrap();
    assert!(handle.port() > port);
}

#[tokio::test]
async fn a_forgotten_handle_leaves_no_process() {
    let folder = tempfile::tempdir().unwrap();
    let handle = start(folder.path()).await;
    handle.update(describe("one")).await.unwrap();
    let process = handle.process_id().unwrap();
    drop(handle);
    until_dead(process).await;
}

#[tokio::test]
async fn a_date_of_the_future_is_clamped_with_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let handle = start(folder.path()).await;
    let mut events = handle.subscribe();
    let mut description = describe("one");
    description.compatibility_date = "2999-01-01".to_owned();
    handle.update(description).await.unwrap();
    let warning = wait_for(&mut events, |event| match event {
        WorkerdEvent::Diagnostic(diagnostic) => Some(diagnostic.clone()),
        _ => None,
    })
    .await;
    assert_eq!(warning.code, codes::COMPATIBILITY_DATE_CLAMPED);
    assert_eq!(get(&handle, "/version").await.text(), "one");
}

#[tokio::test]
async fn a_thousand_modules_of_which_one_is_broken() {
    let folder = tempfile::tempdir().unwrap();
    let handle = start(folder.path()).await;
    let mut description = describe_source(
        "export class Shard {}
         export default { async fetch(request) {
           const name = new URL(request.url).pathname.slice(1);
           return new Response(String((await import(`./functions/${name}.js`)).value));
         } };",
    );
    for number in 0..1000 {
        let filler = "// a comment of about fifty bytes, to have some size\n".repeat(40);
        let source = if number == 500 {
            "export const = 1".to_owned()
        } else {
            format!("{filler}export const value = {number};")
        };
        description
            .modules
            .push(Module::javascript(format!("functions/{number}.js"), source));
    }
    handle.update(description).await.unwrap();
    assert_eq!(get(&handle, "/999").await.text(), "999");
    assert_eq!(get(&handle, "/500").await.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(get(&handle, "/0").await.text(), "0");
}
