//! A disk without space is an answer, and what was acknowledged stays.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use lunora_d1::{D1Options, D1Server};
use lunora_diagnostics::codes;
use lunora_testing::SmallDisk;
use serde_json::json;
use support::{Client, start};

#[test]
fn a_full_disk_is_an_answer() {
    SmallDisk::with(1 << 20, "a_full_disk_is_an_answer", |disk| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let server = start(disk.path()).await;
            let mut client = Client::of(&server).await;
            client
                .query("CREATE TABLE t (id INTEGER PRIMARY KEY, v)", json!([]))
                .await
                .rows();
            let mut written = 0;
            let full = loop {
                let answer = client
                    .query("INSERT INTO t (v) VALUES (zeroblob(50000))", json!([]))
                    .await;
                if answer.json()["success"] == false {
                    break answer.error();
                }
                written += 1;
            };
            assert_eq!(full, "database or disk is full: SQLITE_FULL");
            assert!(written > 1, "{written}");
            // What is there can be read while the disk is full.
            let count = client.query("SELECT count(*) FROM t", json!([])).await.rows();
            assert_eq!(count, json!([[written]]));
            server.close().await;

            let again = start(disk.path()).await;
            let mut client = Client::of(&again).await;
            let count = client.query("SELECT count(*) FROM t", json!([])).await;
            assert_eq!(count.rows(), json!([[written]]));
            again.close().await;
        });
    });
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let refused = D1Server::start(D1Options::new(file.join("d1"))).await.err().unwrap();
    assert_eq!(refused.code, codes::FILE_WRITE_FAILED);
    assert!(refused.message.contains("cannot be made"), "{}", refused.message);
}
