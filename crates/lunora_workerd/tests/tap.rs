//! The tap of development on the real workerd: it is there before the app, in every region, and the app is as without it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lunora_workerd::{ReloadOutcome, Tap, WorkerDescription};
use support::{describe_source, get, start};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixListener;

/// Says what it was given, and what it sees of the tap; the object does so for its own region.
const WORKER: &str = r#"
import { DurableObject } from "cloudflare:workers";
const seen = globalThis.tap?.region;
export class Shard extends DurableObject {
  async fetch() { return Response.json({ region: seen, name: this.constructor.name }); }
}
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/_lunora/tap" && request.method === "POST") return Response.json(await globalThis.tap.tell());
    if (pathname === "/tell") return Response.json(await globalThis.tap.tell());
    if (pathname === "/object") return env.SHARD.get(env.SHARD.idFromName("a")).fetch(request);
    if (pathname === "/eu") return env.SHARD.jurisdiction("eu").getByName("a").fetch(request);
    return Response.json({ isTapped: seen !== undefined, region: seen ?? null, version: "__VERSION__" });
  },
};
"#;

/// What it tells is its region.
const TAP: &str = r#"
import { AsyncLocalStorage } from "node:async_hooks";
import { env } from "cloudflare:workers";
import { askedRegions, region } from "./settings.js";
const scope = new AsyncLocalStorage();
globalThis.tap = {
  region,
  tell: () => scope.run("held", async () => {
    const response = await env.LUNORA_TAP.fetch("http://tap/events", { method: "POST", body: `${region} told` });
    for (const name of askedRegions) await env[name].fetch("http://tap/_lunora/tap", { method: "POST" });
    return { answer: await response.text(), scope: scope.getStore() };
  }),
};
"#;

fn describe(version: &str, tap: Option<Tap>) -> WorkerDescription {
    let mut description = describe_source(&WORKER.replace("__VERSION__", version));
    description.tap = tap;
    description
}

fn tap(socket: &Path) -> Tap {
    Tap {
        source: TAP.into(),
        socket: socket.to_path_buf(),
    }
}

/// Answers one request, and resolves to it.
async fn hear(listener: UnixListener) -> String {
    hear_next(&listener).await
}

async fn hear_next(listener: &UnixListener) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut text = String::new();
    while !text.ends_with("told") {
        let mut bytes = [0; 4096];
        let count = stream.read(&mut bytes).await.unwrap();
        text.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
    }
    stream
        .write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nheard")
        .await
        .unwrap();
    text
}

#[tokio::test]
async fn the_tap_is_there_before_the_app_and_reaches_its_socket() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("tap.sock");
    let heard = tokio::spawn(hear(UnixListener::bind(&socket).unwrap()));
    let handle = start(folder.path()).await;
    handle.update(describe("one", Some(tap(&socket)))).await.unwrap();
    assert_eq!(
        get(&handle, "/").await.text(),
        r#"{"isTapped":true,"region":null,"version":"one"}"#
    );
    assert_eq!(
        get(&handle, "/object").await.text(),
        r#"{"region":null,"name":"Shard"}"#
    );
    assert_eq!(
        get(&handle, "/tell").await.text(),
        r#"{"answer":"heard","scope":"held"}"#
    );
    assert!(heard.await.unwrap().starts_with("POST /events"));
    handle.close().await;
}

#[tokio::test]
async fn who_is_about_to_be_replaced_tells_what_it_still_holds() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("tap.sock");
    let heard = tokio::spawn(hear(UnixListener::bind(&socket).unwrap()));
    let handle = start(folder.path()).await;
    handle.update(describe("one", Some(tap(&socket)))).await.unwrap();
    handle.update(describe("two", Some(tap(&socket)))).await.unwrap();
    let told = tokio::time::timeout(Duration::from_secs(10), heard).await;
    assert!(told.unwrap().unwrap().starts_with("POST /events"));
    handle.close().await;
}

#[tokio::test]
async fn so_do_the_regions_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("tap.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let heard = tokio::spawn(async move { (hear_next(&listener).await, hear_next(&listener).await) });
    let handle = start(folder.path()).await;
    for version in ["one", "two"] {
        let mut description = describe(version, Some(tap(&socket)));
        description.jurisdictions = vec!["eu".to_owned()];
        handle.update(description).await.unwrap();
    }
    let told = tokio::time::timeout(Duration::from_secs(10), heard).await;
    let (own, of_the_region) = told.unwrap().unwrap();
    assert!(own.ends_with("null told"), "{own}");
    assert!(of_the_region.ends_with("eu told"), "{of_the_region}");
    handle.close().await;
}

#[tokio::test]
async fn a_tap_that_does_not_come_to_an_end_keeps_nobody_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("tap.sock");
    // Nobody ever answers there.
    let _listener = UnixListener::bind(&socket).unwrap();
    let handle = start(folder.path()).await;
    for version in ["one", "two", "three"] {
        let outcome = handle.update(describe(version, Some(tap(&socket)))).await.unwrap();
        assert!(matches!(outcome, ReloadOutcome::Serving { .. }), "{outcome:?}");
    }
    assert!(get(&handle, "/").await.text().contains("three"));
    handle.close().await;
}

#[tokio::test]
async fn each_region_has_a_tap_that_knows_it() {
    let folder = tempfile::tempdir().unwrap();
    let handle = start(folder.path()).await;
    let mut description = describe("one", Some(tap(&folder.path().join("nobody.sock"))));
    description.jurisdictions = vec!["eu".to_owned()];
    handle.update(description).await.unwrap();
    assert_eq!(get(&handle, "/eu").await.text(), r#"{"region":"eu","name":"Shard"}"#);
    assert_eq!(
        get(&handle, "/object").await.text(),
        r#"{"region":null,"name":"Shard"}"#
    );
    handle.close().await;
}

#[tokio::test]
async fn what_is_unchanged_is_not_started_again_and_without_a_tap_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let handle = start(folder.path()).await;
    let source: Arc<str> = TAP.into();
    let with = |socket: &str| {
        Some(Tap {
            source: source.clone(),
            socket: folder.path().join(socket),
        })
    };
    handle.update(describe("one", with("a.sock"))).await.unwrap();
    let same = handle.update(describe("one", with("a.sock"))).await.unwrap();
    assert!(matches!(same, ReloadOutcome::Unchanged { .. }), "{same:?}");
    let other = handle.update(describe("one", with("b.sock"))).await.unwrap();
    assert!(matches!(other, ReloadOutcome::Serving { .. }), "{other:?}");
    handle.update(describe("two", None)).await.unwrap();
    assert_eq!(
        get(&handle, "/").await.text(),
        r#"{"isTapped":false,"region":null,"version":"two"}"#
    );
    handle.close().await;
}

#[tokio::test]
async fn the_entry_may_lie_in_folders_in_either_registry_of_modules() {
    let folder = tempfile::tempdir().unwrap();
    let handle = start(folder.path()).await;
    for (version, is_new) in [("new", true), ("old", false)] {
        let mut description = describe(version, Some(tap(&folder.path().join("nobody.sock"))));
        description.modules[0].name = "lunora/_generated/worker one.js".into();
        description.new_module_registry = is_new;
        handle.update(description).await.unwrap();
        assert_eq!(
            get(&handle, "/").await.text(),
            format!(r#"{{"isTapped":true,"region":null,"version":"{version}"}}"#)
        );
    }
    handle.close().await;
}
