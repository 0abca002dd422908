//! The process that is started ahead for the next worker.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "support/processes.rs"]
mod processes;
mod support;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use lunora_workerd::{Binding, BindingValue, WorkerDescription};
use processes::{has_data_open, spare_beside, workerds};
use support::{describe, get, kill, post, start, until_dead};

fn with_secret(version: &str, secret: &str) -> WorkerDescription {
    let mut description = describe(version);
    description.bindings.push(Binding {
        name: "SECRET".to_owned(),
        value: BindingValue::Secret(secret.to_owned()),
    });
    description
}

#[tokio::test]
async fn the_next_worker_runs_in_a_process_that_was_there_before() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let handle = start(folder.path()).await;
    handle.update(describe("one")).await.unwrap();
    for version in ["two", "three"] {
        let serving = handle.process_id().unwrap();
        let spare = spare_beside(serving, &state).await;
        assert!(!has_data_open(spare, &state));
        handle.update(describe(version)).await.unwrap();
        assert_eq!(handle.process_id(), Some(spare));
        assert_eq!(get(&handle, "/version").await.text(), version);
        assert_eq!(post(&handle, "/add", version).await.status, 200);
        assert!(has_data_open(spare, &state));
    }
    assert_eq!(get(&handle, "/rows").await.text(), r#"["two","three"]"#);
}

#[tokio::test]
async fn a_spare_runs_the_worker_of_another_region() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let handle = start(folder.path()).await;
    handle.update(describe("one")).await.unwrap();
    for region in ["eu", "us"] {
        let spare = spare_beside(handle.process_id().unwrap(), &state).await;
        let mut description = describe(region);
        description.jurisdictions = vec![region.to_owned()];
        handle.update(description).await.unwrap();
        assert_eq!(handle.process_id(), Some(spare));
        assert_eq!(get(&handle, "/version").await.text(), region);
    }
}

#[tokio::test]
async fn a_worker_of_another_environment_gets_a_process_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let handle = start(folder.path()).await;
    handle.update(with_secret("one", "first")).await.unwrap();
    let spare = spare_beside(handle.process_id().unwrap(), &state).await;
    handle.update(with_secret("two", "second")).await.unwrap();
    assert_ne!(handle.process_id(), Some(spare));
    assert_eq!(get(&handle, "/env").await.text(), r#"{"SECRET":"second"}"#);
    until_dead(spare).await;
}

#[tokio::test]
async fn a_spare_that_died_is_done_without() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let handle = start(folder.path()).await;
    handle.update(describe("one")).await.unwrap();
    let spare = spare_beside(handle.process_id().unwrap(), &state).await;
    kill(spare);
    until_dead(spare).await;
    handle.update(describe("two")).await.unwrap();
    assert_eq!(get(&handle, "/version").await.text(), "two");
}

#[tokio::test]
async fn a_spare_takes_over_from_a_worker_that_crashed() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let handle = start(folder.path()).await;
    handle.update(describe("one")).await.unwrap();
    let serving = handle.process_id().unwrap();
    let spare = spare_beside(serving, &state).await;
    kill(serving);
    until_dead(serving).await;
    assert_eq!(get(&handle, "/version").await.text(), "one");
    assert_eq!(handle.process_id(), Some(spare));
}

#[tokio::test]
async fn closing_and_dropping_end_the_spare() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    for close in [true, false] {
        let handle = start(folder.path()).await;
        handle.update(describe("one")).await.unwrap();
        let spare = spare_beside(handle.process_id().unwrap(), &state).await;
        if close {
            handle.close().await;
            assert_eq!(workerds(&state), [0; 0], "nothing is left when `close` returns");
        }
        drop(handle);
        until_dead(spare).await;
    }
}

/// Every process that has a database open while 50 updates come, some before the one before them has started, under
/// three writers: never two at once, and nothing that was acknowledged is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_never_have_the_data_open() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let handle = Arc::new(start(folder.path()).await);
    handle.update(describe("0")).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let looks = Arc::new(AtomicUsize::new(0));
    let watcher = std::thread::spawn({
        let (state, stop, looks) = (state.canonicalize().unwrap(), Arc::clone(&stop), Arc::clone(&looks));
        move || watch_data(&state, &stop, &looks)
    });
    let writers: Vec<_> = (0..3)
        .map(|name| tokio::spawn(write_until(Arc::clone(&handle), name, Arc::clone(&stop))))
        .collect();
    for edit in 1..=50_u64 {
        let update = tokio::spawn({
            let handle = Arc::clone(&handle);
            async move { handle.update(describe(&edit.to_string())).await }
        });
        // Some updates meet a spare, some none, some a process that has not started yet.
        if edit % 5 == 0 {
            tokio::time::sleep(Duration::from_millis(edit % 4 * 10)).await;
        } else {
            update.await.unwrap().unwrap();
            tokio::time::sleep(Duration::from_millis(edit % 3 * 70)).await;
        }
    }
    handle.update(describe("last")).await.unwrap();
    assert_eq!(get(&handle, "/version").await.text(), "last");
    stop.store(true, Ordering::Relaxed);
    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    let rows: Vec<String> = serde_json::from_slice(&get(&handle, "/rows").await.body).unwrap();
    for value in &acknowledged {
        assert_eq!(rows.iter().filter(|row| *row == value).count(), 1, "{value}");
    }
    assert!(acknowledged.len() > 50, "the writers got through");
    assert_eq!(watcher.join().unwrap(), Vec::<(u32, u32)>::new());
    assert!(looks.load(Ordering::Relaxed) > 100, "the watcher looked");
}

/// Pairs of processes that had the data open at the same time.
fn watch_data(state: &Path, stop: &AtomicBool, looks: &AtomicUsize) -> Vec<(u32, u32)> {
    let mut both = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let open: Vec<u32> = workerds(state)
            .into_iter()
            .filter(|process| has_data_open(*process, state))
            .collect();
        if let [one, other, ..] = open[..] {
            // One may have ended between the two looks; it had not if it still has the data open after the other.
            if has_data_open(other, state) && has_data_open(one, state) && has_data_open(other, state) {
                both.push((one, other));
            }
        }
        looks.fetch_add(open.len(), Ordering::Relaxed);
    }
    both
}

async fn write_until(handle: Arc<lunora_workerd::WorkerdHandle>, name: usize, stop: Arc<AtomicBool>) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for count in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let value = format!("{name}-{count}");
        let body = format!("{{\"functionPath\":\"rows:add\",\"args\":{{\"value\":\"{value}\"}}}}");
        let answer = post(&handle, "/_lunora/rpc", body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        acknowledged.push(value);
    }
    acknowledged
}
