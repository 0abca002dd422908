//! Reloads under load, broken updates, crashes, and processes that end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[cfg(target_os = "linux")]
#[path = "support/processes.rs"]
mod processes;
mod support;

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use hyper::StatusCode;
use lunora_diagnostics::codes;
use lunora_workerd::{Module, ReloadOutcome, WorkerdEvent, WorkerdHandle, first_location};
use support::{
    describe, describe_source, get, is_alive, kill, options, post, request, start, try_send, until_dead, wait_for,
};
use tokio_tungstenite::tungstenite::Message;

/// What one writer was told.
#[derive(Default)]
struct Told {
    acknowledged: Vec<String>,
    unknown: Vec<String>,
}

/// Calls a mutation again and again until told to stop. Every call must be acknowledged.
async fn call_mutations(port: u16, name: usize, stop: Arc<AtomicBool>) -> Told {
    let mut told = Told::default();
    for count in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let value = format!("call-{name}-{count}");
        let body = format!("{{\"functionPath\":\"rows:add\",\"args\":{{\"value\":\"{value}\"}}}}");
        let answer = try_send(port, request(port, "POST", "/_lunora/rpc", body))
            .await
            .expect("a call is answered");
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        told.acknowledged.push(value);
    }
    told
}

/// Posts what cannot be sent twice. Each is acknowledged or refused with a code.
async fn post_plainly(port: u16, name: usize, stop: Arc<AtomicBool>) -> Told {
    let mut told = Told::default();
    for count in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let value = format!("post-{name}-{count}");
        let answer = try_send(port, request(port, "POST", "/add", value.clone()))
            .await
            .expect("a post is answered");
        if answer.status == StatusCode::OK {
            told.acknowledged.push(value);
        } else {
            assert_eq!(
                (answer.status, answer.code().as_deref()),
                (StatusCode::SERVICE_UNAVAILABLE, Some("RELOADED")),
                "{}",
                answer.text()
            );
            told.unknown.push(value);
        }
    }
    told
}

async fn rows(handle: &WorkerdHandle) -> BTreeMap<String, usize> {
    let rows: Vec<String> = serde_json::from_slice(&get(handle, "/rows").await.body).unwrap();
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry(row).or_insert(0) += 1;
    }
    counts
}

/// Reloads with eight writers: nothing acknowledged is lost, nothing is written twice, nothing fails
/// without a code.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_do_not_notice_reloads() {
    let folder = tempfile::tempdir().unwrap();
    let handle = start(folder.path()).await;
    handle.update(describe("0")).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let port = handle.port();
    let mut writers = Vec::new();
    for name in 0..8 {
        let stop = Arc::clone(&stop);
        writers.push(if name < 5 {
            tokio::spawn(call_mutations(port, name, stop))
        } else {
            tokio::spawn(post_plainly(port, name, stop))
        });
    }
    let mut durations = Vec::new();
    for version in 1..=25 {
        tokio::time::sleep(Duration::from_millis(30)).await;
        match handle.update(describe(&version.to_string())).await.unwrap() {
            ReloadOutcome::Serving { duration, .. } => durations.push(duration),
            other => panic!("{other:?}"),
        }
        assert_eq!(get(&handle, "/version").await.text(), version.to_string());
    }
    stop.store(true, Ordering::Relaxed);
    let mut told = Told::default();
    for writer in writers {
        let one = writer.await.unwrap();
        told.acknowledged.extend(one.acknowledged);
        told.unknown.extend(one.unknown);
    }
    let rows = rows(&handle).await;
    durations.sort();
    println!(
        "{} acknowledged, {} unknown, median reload {:?}",
        told.acknowledged.len(),
        told.unknown.len(),
        durations[durations.len() / 2]
    );
    for value in &told.acknowledged {
        assert_eq!(rows.get(value), Some(&1), "{value}");
    }
    for value in &told.unknown {
        assert!(rows.get(value).copied().unwrap_or(0) <= 1, "{value}");
    }
    assert!(rows.len() <= told.acknowledged.len() + told.unknown.len());
}

#[tokio::test]
async fn the_newest_of_a_storm_of_updates_wins() {
    let folder = tempfile::tempdir().unwrap();
    let handle = Arc::new(start(folder.path()).await);
    let mut updates = Vec::new();
    for version in 0..30 {
        let handle = Arc::clone(&handle);
        updates.push(tokio::spawn(async move {
            handle.update(describe(&version.to_string())).await.unwrap()
        }));
        if version % 10 == 9 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let mut outcomes = Vec::new();
    for update in updates {
        outcomes.push(update.await.unwrap());
    }
    assert!(
        matches!(outcomes.last(), Some(ReloadOutcome::Serving { .. })),
        "{outcomes:?}"
    );
    assert!(
        outcomes
            .iter()
            .any(|outcome| matches!(outcome, ReloadOutcome::Superseded { .. })),
        "{outcomes:?}"
    );
    assert_eq!(get(&handle, "/version").await.text(), "29");
}

#[tokio::test]
async fn the_same_again_restarts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let handle = start(folder.path()).await;
    handle.update(describe("one")).await.unwrap();
    let process = handle.process_id();
    assert_eq!(
        handle.update(describe("one")).await.unwrap(),
        ReloadOutcome::Unchanged { generation: 1 }
    );
    assert_eq!(handle.process_id(), process);
}

#[tokio::test]
async fn a_broken_update_leaves_the_last_good_worker_serving() {
    let folder = tempfile::tempdir().unwrap();
    let handle = start(folder.path()).await;
    handle.update(describe("good")).await.unwrap();
    post(&handle, "/add", "kept").await;
    let broken = handle
        .update(describe_source("export default {\n  fetch( { return 1 }\n};\n"))
        .await
        .unwrap_err();
    assert_eq!(broken.code, codes::WORKER_START_FAILED);
    assert!(
        broken.message.contains("SyntaxError") && broken.message.contains("worker.js:2:"),
        "{}",
        broken.message
    );
    assert_eq!(
        first_location(&broken).map(|(module, line, _)| (module, line)),
        Some(("worker.js".to_owned(), 2))
    );
    assert_eq!(get(&handle, "/version").await.text(), "good");
    assert_eq!(get(&handle, "/rows").await.text(), "[\"kept\"]");

    let mut unknown_flag = describe("flag");
    unknown_flag.compatibility_flags.push("no_such_flag".to_owned());
    assert_eq!(
        handle.update(unknown_flag).await.unwrap_err().code,
        codes::COMPATIBILITY_FLAG_UNKNOWN
    );
    let missing = handle
        .update(describe_source("import \"./gone.js\"; export default {};"))
        .await
        .unwrap_err();
    assert!(missing.message.contains("gone.js"), "{}", missing.message);
    assert_eq!(get(&handle, "/version").await.text(), "good");
    assert_eq!(
        handle.update(describe("good")).await.unwrap(),
        ReloadOutcome::Unchanged { generation: 1 }
    );
}

#[tokio::test]
async fn a_first_worker_that_does_not_start_is_answered_with_its_fault() {
    let folder = tempfile::tempdir().unwrap();
    let handle = start(folder.path()).await;
    handle
        .update(describe_source("throw new Error(\"at the top\");"))
        .await
        .unwrap_err();
    let answer = get(&handle, "/version").await;
    assert_eq!(
        (answer.status, answer.code().as_deref()),
        (StatusCode::SERVICE_UNAVAILABLE, Some("WORKER_START_FAILED"))
    );
    assert!(answer.text().contains("at the top"));
    handle.update(describe("mended")).await.unwrap();
    assert_eq!(get(&handle, "/version").await.text(), "mended");
}

#[tokio::test]
async fn a_worker_that_never_becomes_ready_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut with_limit = options(folder.path());
    with_limit.start_limit = Duration::from_millis(1500);
    let handle = WorkerdHandle::start(with_limit).await.unwrap();
    handle.update(describe("good")).await.unwrap();
    let endless = handle.update(describe_source("for (;;);")).await.unwrap_err();
    assert_eq!(endless.code, codes::WORKER_START_TIMEOUT);
    assert_eq!(get(&handle, "/version").await.text(), "good");
}

#[tokio::test]
async fn a_worker_killed_in_the_middle_of_a_request_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let handle = Arc::new(start(folder.path()).await);
    handle.update(describe("one")).await.unwrap();
    let mut events = handle.subscribe();
    let (read, write) = tokio::join!(get(&handle, "/slow?ms=400"), async {
        let writing = post(&handle, "/slow-add?ms=400", "once");
        let killing = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            kill(handle.process_id().unwrap());
        };
        tokio::join!(writing, killing).0
    });
    assert_eq!(read.text(), "one", "a read is sent again");
    assert_eq!(
        (write.status, write.code().as_deref()),
        (StatusCode::SERVICE_UNAVAILABLE, Some("RELOADED"))
    );
    assert_eq!(get(&handle, "/rows").await.text(), "[\"once\"]", "the write is not");
    let status = wait_for(&mut events, |event| match event {
        WorkerdEvent::Exited { status, .. } => Some(status.clone()),
        _ => None,
    })
    .await;
    assert!(status.contains("SIGKILL"), "{status}");
}

#[tokio::test]
async fn a_request_that_kills_its_worker_is_not_sent_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let handle = Arc::new(start(folder.path()).await);
    handle.update(describe("one")).await.unwrap();
    let killer = tokio::spawn({
        let handle = Arc::clone(&handle);
        async move {
            for _ in 0..4 {
                tokio::time::sleep(Duration::from_millis(300)).await;
                if let Some(process) = handle.process_id() {
                    kill(process);
                }
            }
        }
    });
    let answer = get(&handle, "/slow?ms=60000").await;
    assert_eq!(
        (answer.status, answer.code().as_deref()),
        (StatusCode::SERVICE_UNAVAILABLE, Some("RELOADED"))
    );
    killer.await.unwrap();
    assert_eq!(get(&handle, "/version").await.text(), "one");
}

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn connect(handle: &WorkerdHandle) -> Socket {
    tokio_tungstenite::connect_async(format!("ws://127.0.0.1:{}/ws", handle.port()))
        .await
        .unwrap()
        .0
}

async fn echo(socket: &mut Socket, text: &str) -> String {
    socket.send(Message::text(text)).await.unwrap();
    socket.next().await.unwrap().unwrap().into_text().unwrap().to_string()
}

#[tokio::test]
async fn sockets_are_told_of_a_reload_and_of_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let handle = start(folder.path()).await;
    handle.update(describe("one")).await.unwrap();
    let mut sockets = Vec::new();
    for number in 0..20 {
        let mut socket = connect(&handle).await;
        assert_eq!(echo(&mut socket, &number.to_string()).await, format!("one:{number}"));
        sockets.push(socket);
    }
    let large = "x".repeat(300_000);
    assert_eq!(echo(&mut sockets[0], &large).await, format!("one:{large}"));
    handle.update(describe("two")).await.unwrap();
    for mut socket in sockets {
        match socket.next().await.unwrap().unwrap() {
            Message::Close(Some(frame)) => assert_eq!(u16::from(frame.code), 1012, "{frame}"),
            other => panic!("{other:?}"),
        }
    }
    let mut socket = connect(&handle).await;
    assert_eq!(echo(&mut socket, "again").await, "two:again");
    let (_, last) = tokio::join!(handle.close(), socket.next());
    match last.unwrap().unwrap() {
        Message::Close(Some(frame)) => assert_eq!(u16::from(frame.code), 1001, "{frame}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn closing_waits_for_nobody_for_long() {
    let folder = tempfile::tempdir().unwrap();
    let handle = Arc::new(start(folder.path()).await);
    handle.update(describe("one")).await.unwrap();
    let process = handle.process_id().unwrap();
    let mut socket = connect(&handle).await;
    assert_eq!(echo(&mut socket, "a").await, "one:a");
    let slow = tokio::spawn(try_send(
        handle.port(),
        request(handle.port(), "POST", "/slow-add?ms=600000", "x"),
    ));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let started = std::time::Instant::now();
    // Both callers come back, long before the request or the socket would end.
    tokio::time::timeout(Duration::from_secs(30), async {
        tokio::join!(handle.close(), handle.close())
    })
    .await
    .unwrap();
    println!("closed within {:?}", started.elapsed());
    assert!(!is_alive(process));
    drop(slow.await.unwrap());
}

#[tokio::test]
async fn closing_while_a_worker_starts_settles_the_update() {
    let folder = tempfile::tempdir().unwrap();
    let handle = Arc::new(start(folder.path()).await);
    let update = tokio::spawn({
        let handle = Arc::clone(&handle);
        async move { handle.update(describe("one")).await }
    });
    tokio::task::yield_now().await;
    handle.close().await;
    match update.await.unwrap() {
        Err(diagnostic) => assert_eq!(diagnostic.code, codes::WORKER_CLOSED),
        Ok(outcome) => assert!(matches!(outcome, ReloadOutcome::Serving { .. })),
    }
    assert_eq!(handle.process_id(), None);
}

/// Fifty edits, a third of them broken, while three clients write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_edits_while_clients_write() {
    let folder = tempfile::tempdir().unwrap();
    let handle = start(folder.path()).await;
    handle.update(describe("0")).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..3)
        .map(|name| tokio::spawn(call_mutations(handle.port(), name, Arc::clone(&stop))))
        .collect();
    let mut good = "0".to_owned();
    for edit in 1..=50 {
        if edit % 3 == 0 {
            let broken = describe_source(&format!("export default {{ // {edit}\n  fetch( {{\n"));
            assert_eq!(
                handle.update(broken).await.unwrap_err().code,
                codes::WORKER_START_FAILED
            );
        } else {
            good = edit.to_string();
            let mut description = describe(&good);
            description
                .modules
                .push(Module::javascript(format!("extra{edit}.js"), "export {}"));
            handle.update(description).await.unwrap();
        }
        assert_eq!(get(&handle, "/version").await.text(), good);
    }
    stop.store(true, Ordering::Relaxed);
    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.unwrap().acknowledged);
    }
    let rows = rows(&handle).await;
    assert!(acknowledged.len() > 50, "the writers got through");
    assert_eq!(rows.len(), acknowledged.len());
    for value in acknowledged {
        assert_eq!(rows.get(&value), Some(&1), "{value}");
    }
}

const PARENT: &str = "LUNORA_TEST_PARENT_STATE";

/// Runs as a process of its own for the next test, and does nothing otherwise.
#[tokio::test]
async fn parent_process() {
    let Some(state) = std::env::var_os(PARENT) else { return };
    let handle = start(state.as_ref()).await;
    handle.update(describe("one")).await.unwrap();
    let worker = handle.process_id().unwrap();
    println!("\nworkerd={worker}");
    #[cfg(target_os = "linux")]
    println!(
        "workerd={}",
        processes::spare_beside(worker, &std::path::Path::new(&state).join("state")).await
    );
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_killed_parent_leaves_no_orphan() {
    let folder = tempfile::tempdir().unwrap();
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "parent_process", "--nocapture"])
        .env(PARENT, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = std::io::BufReader::new(parent.stdout.take().unwrap()).lines();
    let expected = if cfg!(target_os = "linux") { 2 } else { 1 };
    let processes: Vec<u32> = lines
        .map(Result::unwrap)
        .filter_map(|line| line.strip_prefix("workerd=").map(|number| number.parse().unwrap()))
        .take(expected)
        .collect();
    assert_eq!(processes.len(), expected, "the parent names its worker and its spare");
    assert!(processes.iter().all(|process| is_alive(*process)));
    kill(parent.id());
    parent.wait().unwrap();
    for process in processes {
        until_dead(process).await;
    }
    let again = start(folder.path()).await;
    again.update(describe("two")).await.unwrap();
    assert_eq!(get(&again, "/version").await.text(), "two");
}
