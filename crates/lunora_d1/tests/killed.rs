//! A process that is killed keeps every promise it made.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lunora_testing::Random;
use serde_json::json;
use support::{Client, start};

const ROUNDS: u64 = 8;
const WRITERS: u64 = 8;
/// Set in the process that is to be killed.
const FOLDER: &str = "LUNORA_TEST_D1_FOLDER";
const SOCKET_FILE: &str = "socket-path";

/// The body of the process that is killed: it serves until then.
#[tokio::test(flavor = "multi_thread")]
async fn serves_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    let server = start(&folder).await;
    let path = folder.join(SOCKET_FILE);
    std::fs::write(path.with_extension("new"), server.socket().to_str().unwrap()).unwrap();
    std::fs::rename(path.with_extension("new"), path).unwrap();
    std::future::pending::<()>().await;
}

fn spawn(folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "serves_until_it_is_killed", "--nocapture"])
        .env(FOLDER, folder)
        // Its socket's folder is left behind when it is killed.
        .env("TMPDIR", folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

async fn socket(folder: &Path) -> PathBuf {
    loop {
        if let Ok(path) = std::fs::read_to_string(folder.join(SOCKET_FILE)) {
            return path.into();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Writes until the connection breaks; what was acknowledged, and what was asked but not answered.
async fn write(mut client: Client, writer: u64, round: u64, count: Arc<AtomicUsize>) -> (Vec<String>, Option<String>) {
    let mut acknowledged = Vec::new();
    for step in 0.. {
        let id = format!("{round}-{writer}-{step}");
        // Two rows or none: half a request is no request.
        let body = json!([
            { "sql": "INSERT INTO t VALUES (?, 'one')", "params": [id] },
            { "sql": "INSERT INTO u VALUES (?, ?)", "params": [id, "x".repeat(500)] },
        ]);
        let request = client.request("/query", body.to_string());
        match client.send(request).await {
            Ok(answer) => {
                assert_eq!(answer.json()[1]["meta"]["changes"], 1);
                acknowledged.push(id);
                count.fetch_add(1, Ordering::Relaxed);
            }
            Err(_) => return (acknowledged, Some(id)),
        }
    }
    (acknowledged, None)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_and_nothing_is_there_by_halves() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random::anew("killed");
    let server = start(folder.path()).await;
    let mut client = Client::of(&server).await;
    client
        .query("CREATE TABLE t (id TEXT PRIMARY KEY, v)", json!([]))
        .await
        .rows();
    client
        .query("CREATE TABLE u (id TEXT PRIMARY KEY, v)", json!([]))
        .await
        .rows();
    server.close().await;

    let mut acknowledged = BTreeSet::new();
    let mut unanswered = BTreeSet::new();
    for round in 0..ROUNDS {
        let mut child = spawn(folder.path());
        let socket = socket(folder.path()).await;
        let count = Arc::new(AtomicUsize::new(0));
        let mut writers = Vec::new();
        for writer in 0..WRITERS {
            let client = Client::connect(&socket).await.unwrap();
            writers.push(tokio::spawn(write(client, writer, round, count.clone())));
        }
        let enough = 20 + random.below(300);
        while count.load(Ordering::Relaxed) < enough {
            assert_eq!(child.try_wait().unwrap(), None, "it ended by itself");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for writer in writers {
            let (done, open) = writer.await.unwrap();
            acknowledged.extend(done);
            unanswered.extend(open);
        }
        std::fs::remove_file(folder.path().join(SOCKET_FILE)).unwrap();

        let server = start(folder.path()).await;
        let mut client = Client::of(&server).await;
        let mut found = Vec::new();
        for table in ["t", "u"] {
            let rows = client.query(&format!("SELECT id FROM {table}"), json!([])).await.rows();
            let ids: BTreeSet<String> = serde_json::from_value::<Vec<(String,)>>(rows)
                .unwrap()
                .into_iter()
                .map(|(id,)| id)
                .collect();
            found.push(ids);
        }
        assert_eq!(
            client.query("PRAGMA quick_check", json!([])).await.rows(),
            json!([["ok"]])
        );
        server.close().await;
        assert_eq!(found[0], found[1], "round {round}");
        assert!(
            acknowledged.is_subset(&found[0]),
            "round {round}: an acknowledged row is lost"
        );
        let known: BTreeSet<String> = acknowledged.union(&unanswered).cloned().collect();
        assert!(found[0].is_subset(&known), "round {round}: a row nobody asked for");
    }
}
