//! `scheduled()` is raised by the private socket, and by nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use lunora_workerd::WorkerDescription;
use support::{describe_source, get, post, start};

fn describe(version: &str) -> WorkerDescription {
    let mut description = describe_source(&format!(
        "let seen = [];
        export default {{
          fetch: async (request) => Response.json({{ version: \"{version}\", seen, path: new URL(request.url).pathname }}),
          async scheduled(event) {{
            seen.push([event.cron, event.scheduledTime]);
            if (event.cron === \"fails\") throw new Error(\"no\");
          }},
        }};"
    ));
    description.durable_objects.clear();
    description.has_events = true;
    description
}

#[tokio::test(flavor = "multi_thread")]
async fn the_handler_gets_expression_and_time_and_its_outcome_is_told() {
    let state = tempfile::tempdir().unwrap();
    let handle = start(state.path()).await;
    handle.update(describe("one")).await.unwrap();
    assert!(
        handle
            .events()
            .scheduled("*/5 * * * *", 1_800_000_000_000)
            .await
            .unwrap()
    );
    assert!(!handle.events().scheduled("fails", 1).await.unwrap());
    let text = get(&handle, "/").await.text();
    assert!(
        text.contains("\"seen\":[[\"*/5 * * * *\",1800000000000],[\"fails\",1]]"),
        "{text}"
    );

    // From outside it is a path like any other.
    let text = post(&handle, "/scheduled", "{\"cron\":\"outside\",\"scheduledTime\":1}")
        .await
        .text();
    assert!(
        text.contains("\"path\":\"/scheduled\"") && !text.contains("outside"),
        "{text}"
    );

    // The socket outlives the process.
    handle.update(describe("two")).await.unwrap();
    assert!(handle.events().scheduled("again", 2).await.unwrap());
    let text = get(&handle, "/").await.text();
    assert!(text.contains("\"version\":\"two\",\"seen\":[[\"again\",2]]"), "{text}");
    handle.close().await;
}
