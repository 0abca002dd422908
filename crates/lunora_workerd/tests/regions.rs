//! Jurisdictions as production has them, on the real workerd.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use lunora_diagnostics::codes;
use lunora_workerd::{Binding, BindingValue, WorkerDescription, WorkerdEvent, WorkerdHandle};
use serde_json::{Value, json};
use support::{describe_source, get, post, start, wait_for};
use tokio_tungstenite::tungstenite::Message;

fn describe(jurisdictions: &[&str]) -> WorkerDescription {
    let mut description = describe_source(include_str!("support/regions.js"));
    description.jurisdictions = jurisdictions.iter().map(|name| (*name).to_owned()).collect();
    description.bindings.push(Binding {
        name: "TOKEN".to_owned(),
        value: BindingValue::Secret("s3cret".to_owned()),
    });
    description
}

async fn json_of(handle: &WorkerdHandle, path: &str) -> Value {
    let answer = get(handle, path).await;
    serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("{path}: {} {}", answer.status, answer.text()))
}

/// Every file below the state folder but our own, with its bytes, by its path below it.
fn written(state: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, files);
            } else {
                files.push(path);
            }
        }
    }
    let mut files = Vec::new();
    walk(state, &mut files);
    files
        .into_iter()
        .map(|file| {
            (
                file.strip_prefix(state).unwrap().to_path_buf(),
                std::fs::read(&file).unwrap(),
            )
        })
        .filter(|(file, _)| {
            !["lock", "layout.json", "region.json"]
                .iter()
                .any(|own| *file == Path::new(own))
        })
        .collect()
}

/// What is not in the folder of `region`.
fn outside(state: &Path, region: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = written(state);
    files.retain(|file, _| !file.starts_with(region));
    files
}

#[tokio::test]
async fn namespaces_mean_what_they_mean_in_production() {
    for lazily in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let handle = start(folder.path()).await;
        let mut description = describe(&["eu", "us"]);
        description.new_module_registry = lazily;
        description.experimental = lazily;
        handle.update(description).await.unwrap();
        let foreign = "TypeError: get called on jurisdictional subnamespace with an ID from a different jurisdiction";
        let invalid = "TypeError: Durable Object ID is not valid for this namespace.";
        let not_text = "TypeError: Invalid Durable Object ID: must be 64 hex digits";
        let unknown = |name: &str| format!("TypeError: `{name}` is not a jurisdiction that can be reached from here");
        let twice = "TypeError: jurisdiction called on a namespace that is restricted to `eu` already";
        assert_eq!(
            json_of(&handle, "/semantics").await,
            json!({
                "a name is another object in each": true,
                "a name is the same object each time": true,
                "an id knows its jurisdiction": [null, "eu", "us"],
                "an id knows its name": true,
                "ids are 64 hexadecimal digits": true,
                "ids compare": [true, false, false],
                "unique ids": ["eu", "eu", null],
                "unique id of another": "TypeError: newUniqueId called for `us` on a namespace that is restricted to `eu`",
                "an id comes back from its text": "eu",
                "and from its own namespace": "eu",
                "text of another jurisdiction": invalid,
                "text of none": invalid,
                "text that is no id": not_text,
                "id of another jurisdiction": foreign,
                "id of none": foreign,
                "no id": "TypeError: get called with something that is not an ID",
                "the whole takes ids of every jurisdiction": true,
                "restricted twice": twice,
                "restricted to the same twice": twice,
                "unknown": unknown("mars"),
                "not declared": unknown("fedramp"),
                "the inner name": "TypeError: `root` is not a jurisdiction",
                "of an object's nature": unknown("__proto__"),
                "empty": unknown(""),
                "nothing": true,
                "hints are taken": true,
            })
        );
        assert_eq!(json_of(&handle, "/global").await, "eu");
    }
}

#[tokio::test]
async fn a_pinned_object_reaches_its_own_region_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let handle = start(folder.path()).await;
    handle.update(describe(&["eu", "us"])).await.unwrap();
    for region in ["eu", "us"] {
        let other = if region == "eu" { "us" } else { "eu" };
        let outside = "TypeError: objects outside every jurisdiction cannot be reached from inside one";
        assert_eq!(
            json_of(&handle, &format!("/inside?in={region}")).await,
            json!({
                "keys": ["SHARD", "TOKEN"],
                "secret": "s3cret",
                "neighbour": ["from inside"],
                "own": true,
                "ownId": true,
                "outside": outside,
                "outsideId": outside,
                "other": format!("TypeError: `{other}` is not a jurisdiction that can be reached from here"),
            })
        );
    }
    assert_eq!(json_of(&handle, "/rows?name=neighbour").await, json!([]));
}

#[tokio::test]
async fn every_byte_of_a_pinned_app_is_in_its_region() {
    let folder = tempfile::tempdir().unwrap();
    let handle = start(folder.path()).await;
    let state = folder.path().join("state");
    handle.update(describe(&["eu"])).await.unwrap();
    // workerd opens an empty list of alarms for every namespace it has.
    let empty = outside(&state, "eu");
    for name in ["root", "a", "b"] {
        assert_eq!(
            post(&handle, &format!("/add?in=eu&name={name}"), name).await.text(),
            "ok"
        );
    }
    get(&handle, "/wake?in=eu&name=alarmed").await;
    until_rows(&handle, "/rows?in=eu&name=alarmed", &json!(["alarm"])).await;
    assert!(written(&state).keys().filter(|file| is_object(file)).count() >= 4);
    assert_eq!(outside(&state, "eu"), empty, "nothing was written anywhere else");
    assert!(!empty.keys().any(|file| is_object(file)));
    post(&handle, "/add", "outside").await;
    assert!(
        outside(&state, "eu").keys().any(|file| is_object(file)),
        "the walk sees what is outside"
    );
}

fn is_object(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name.len() == 64 + ".sqlite".len())
}

async fn until_rows(handle: &WorkerdHandle, path: &str, wanted: &Value) {
    let arrived = async {
        while json_of(handle, path).await != *wanted {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), arrived)
        .await
        .expect("the rows arrive");
}

/// What was told between two markers: regions and codes of diagnostics.
async fn told_until_served(
    events: &mut tokio::sync::broadcast::Receiver<WorkerdEvent>,
    generation: u64,
) -> Vec<String> {
    wait_for(events, |event| match event {
        WorkerdEvent::Started {
            generation: started, ..
        } if *started == generation => Some(()),
        _ => None,
    })
    .await;
    // All of it is sent in the same turn of the supervisor.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut told = Vec::new();
    while let Ok(event) = events.try_recv() {
        match event {
            WorkerdEvent::Region { jurisdiction, storage } => told.push(format!(
                "{} in {}",
                jurisdiction.as_deref().unwrap_or("none"),
                storage.iter().rev().nth(1).unwrap().to_string_lossy()
            )),
            WorkerdEvent::Diagnostic(diagnostic) => {
                assert_eq!(diagnostic.code, codes::JURISDICTION_CHANGED);
                told.push(diagnostic.message);
            }
            _ => {}
        }
    }
    told
}

#[tokio::test]
async fn a_change_of_the_declaration_strands_the_data_and_taking_it_back_finds_it() {
    let folder = tempfile::tempdir().unwrap();
    let handle = start(folder.path()).await;
    let mut events = handle.subscribe();
    let path = |path: &str, region: Option<&str>| match region {
        None => path.to_owned(),
        Some(region) => format!("{path}?in={region}"),
    };
    let flips = [
        (None, vec![]),
        (
            Some("eu"),
            vec!["eu in eu", "from (none) to `eu`: 1 object (`test-Shard` 1)"],
        ),
        (
            Some("us"),
            vec!["us in us", "from `eu` to `us`: 1 object (`test-Shard` 1)"],
        ),
        (
            Some("eu"),
            vec!["eu in eu", "from `us` to `eu`: 1 object (`test-Shard` 1)"],
        ),
        (
            None,
            vec!["none in none", "from `eu` to (none): 1 object (`test-Shard` 1)"],
        ),
    ];
    let mut seen: Vec<Option<&str>> = Vec::new();
    for (position, (region, expected)) in flips.into_iter().enumerate() {
        let jurisdictions: Vec<&str> = region.into_iter().collect();
        handle.update(describe(&jurisdictions)).await.unwrap();
        let told = told_until_served(&mut events, position as u64 + 1).await;
        assert_eq!(told.len(), expected.len(), "{told:?}");
        for (told, expected) in told.iter().zip(expected) {
            assert!(told.contains(expected), "{told}");
        }
        let before = if seen.contains(&region) {
            json!([region.unwrap_or("none")])
        } else {
            json!([])
        };
        assert_eq!(json_of(&handle, &path("/rows", region)).await, before, "{region:?}");
        if !seen.contains(&region) {
            post(&handle, &path("/add", region), region.unwrap_or("none")).await;
            seen.push(region);
        }
    }
    handle.close().await;

    let handle = start(folder.path()).await;
    let mut events = handle.subscribe();
    handle.update(describe(&["us"])).await.unwrap();
    let told = told_until_served(&mut events, 1).await;
    assert!(
        told[1].contains("from (none) to `us`"),
        "a change between two runs is told: {told:?}"
    );
    assert_eq!(json_of(&handle, "/rows?in=us").await, json!(["us"]));
}

#[tokio::test]
async fn sockets_hibernate_and_alarms_ring_in_a_pinned_object() {
    let folder = tempfile::tempdir().unwrap();
    let handle = start(folder.path()).await;
    handle.update(describe(&["eu"])).await.unwrap();
    let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://127.0.0.1:{}/ws?in=eu", handle.port()))
        .await
        .unwrap();
    socket.send(Message::text("first")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("1 first"));
    // workerd forgets an object ten seconds after its last event.
    tokio::time::sleep(Duration::from_secs(12)).await;
    socket.send(Message::text("second")).await.unwrap();
    assert_eq!(
        socket.next().await.unwrap().unwrap(),
        Message::text("2 second"),
        "it slept"
    );
    get(&handle, "/wake?in=eu").await;
    until_rows(&handle, "/rows?in=eu", &json!(["first", "second", "alarm"])).await;
}

#[tokio::test]
async fn an_overdue_alarm_rings_in_its_region_after_a_reload() {
    let folder = tempfile::tempdir().unwrap();
    let handle = start(folder.path()).await;
    handle.update(describe(&["eu"])).await.unwrap();
    get(&handle, "/wake?in=eu").await;
    handle.update(describe(&[])).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    handle.update(describe(&["eu"])).await.unwrap();
    until_rows(&handle, "/rows?in=eu", &json!(["alarm"])).await;
}

#[tokio::test]
async fn a_broken_worker_is_told_of_once_and_the_last_good_one_serves_its_region() {
    let folder = tempfile::tempdir().unwrap();
    let handle = start(folder.path()).await;
    handle.update(describe(&["eu"])).await.unwrap();
    post(&handle, "/add?in=eu", "kept").await;
    let mut broken = describe_source("export class Shard {}\nexport default { fetch( };");
    broken.jurisdictions = vec!["us".to_owned()];
    let error = handle.update(broken).await.unwrap_err();
    assert_eq!(error.code, codes::WORKER_START_FAILED);
    assert!(
        error.message.starts_with("The worker does not start: SyntaxError: "),
        "{}",
        error.message
    );
    assert_eq!(json_of(&handle, "/rows?in=eu").await, json!(["kept"]));
}
