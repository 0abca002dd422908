//! What happens to the sources while the engine starts.
#![allow(clippy::unwrap_used, reason = "a panic is a failed test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use lunora_engine::{Engine, EngineEvent, EngineOptions};
use lunora_testing::TempProject;

const SCHEMA: &str = "import { defineSchema } from \"lunorash/server\";\nexport const schema = defineSchema({});\n";
const NOTES: &str =
    "import { query } from \"./_generated/server\";\nexport const list = query.query(async () => []);\n";

/// A folder that is restored file by file while the engine is already looking at it.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_comes_while_it_starts_is_not_missed() {
    for round in 0..60 {
        let project = TempProject::new([("package.json", "{}"), ("lunora/schema.ts", SCHEMA)]);
        let options: EngineOptions =
            serde_json::from_value(serde_json::json!({ "root": project.root(), "worker": false })).unwrap();
        let functions = Arc::new(AtomicUsize::new(0));
        let seen = functions.clone();
        let file = project.path("lunora/notes.ts");
        let writer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_micros(100 * round));
            std::fs::write(file, NOTES).unwrap();
        });
        let engine = Engine::start(
            options,
            Arc::new(move |event| {
                if let EngineEvent::Generated { functions, .. } = event {
                    seen.store(functions, Ordering::SeqCst);
                }
            }),
        )
        .await
        .unwrap();
        writer.join().unwrap();
        let started = Instant::now();
        while functions.load(Ordering::SeqCst) != 1 {
            assert!(started.elapsed() < Duration::from_secs(20), "round {round}: missed");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        engine.close().await;
    }
}
