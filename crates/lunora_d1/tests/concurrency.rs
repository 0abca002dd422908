//! Many at once: nothing is lost, nothing is done twice, and what was acknowledged is seen.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;
use support::{Client, start};

const WRITERS: u64 = 50;
const EACH: u64 = 40;

#[tokio::test(flavor = "multi_thread")]
async fn fifty_writers_and_readers_beside_them() {
    let folder = tempfile::tempdir().unwrap();
    let server = Arc::new(start(folder.path()).await);
    let mut client = Client::of(&server).await;
    client
        .query("CREATE TABLE counter (n); INSERT INTO counter VALUES (0)", json!([]))
        .await
        .rows();
    client
        .query("CREATE TABLE rows (writer, step, UNIQUE (writer, step))", json!([]))
        .await
        .rows();
    let acknowledged = Arc::new(AtomicU64::new(0));
    let mut tasks = Vec::new();
    for writer in 0..WRITERS {
        let (server, acknowledged) = (server.clone(), acknowledged.clone());
        tasks.push(tokio::spawn(async move {
            let mut client = Client::of(&server).await;
            let mut seen = Vec::new();
            for step in 0..EACH {
                // Every fifth breaks a rule after it has written, and must leave nothing.
                if step % 5 == 4 {
                    let broken = json!([
                        { "sql": "UPDATE counter SET n = n + 1000000" },
                        { "sql": "INSERT INTO rows VALUES (?, ?), (?, ?)", "params": [writer, 0, writer, step] },
                    ]);
                    client.post("/query", broken.to_string()).await.error();
                }
                let batch = json!([
                    { "sql": "INSERT INTO rows VALUES (?, ?)", "params": [writer, step] },
                    { "sql": "UPDATE counter SET n = n + 1 RETURNING n" },
                ]);
                let answer = client
                    .post("/query?resultsFormat=ROWS_AND_COLUMNS", batch.to_string())
                    .await;
                let count = answer.json()[1]["results"]["rows"][0][0].as_u64().unwrap();
                acknowledged.fetch_max(count, Ordering::SeqCst);
                seen.push(count);
                // The own write is there for a reader.
                let own = client
                    .query("SELECT count(*) FROM rows WHERE writer = ?", json!([writer]))
                    .await;
                assert_eq!(own.rows(), json!([[step + 1]]));
            }
            seen
        }));
    }
    let mut readers = Vec::new();
    for _ in 0..4 {
        let (server, acknowledged) = (server.clone(), acknowledged.clone());
        readers.push(tokio::spawn(async move {
            let mut client = Client::of(&server).await;
            loop {
                let before = acknowledged.load(Ordering::SeqCst);
                let both = client
                    .query("SELECT (SELECT n FROM counter), (SELECT count(*) FROM rows)", json!([]))
                    .await
                    .rows();
                let count = both[0][0].as_u64().unwrap();
                assert_eq!(both[0][1], both[0][0], "a reader sees whole transactions");
                assert!(count >= before, "{count} is seen after {before} was acknowledged");
                if count == WRITERS * EACH {
                    return;
                }
            }
        }));
    }
    let mut counts = Vec::new();
    for task in tasks {
        counts.extend(task.await.unwrap());
    }
    for reader in readers {
        reader.await.unwrap();
    }
    counts.sort_unstable();
    assert_eq!(counts, (1..=WRITERS * EACH).collect::<Vec<_>>());
    server.close().await;
}
