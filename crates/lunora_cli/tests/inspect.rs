//! The commands that look into an app, against a real inspector.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod support;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use lunora_cli::{CommandOptions, CommandOutcome};
use serde_json::{Value, json};
use support::Development;

const AT: u64 = 1_795_262_584_123;

fn commit(call: &str, seq: u64, text: &str) -> Value {
    json!({
        "type": "commit", "at": AT, "object": "room=a", "epoch": "e1", "by": "calls", "fromSeq": seq - 1, "toSeq": seq,
        "calls": [{ "call": call, "functionPath": "notes:add", "fromSeq": seq - 1, "toSeq": seq }],
        "changes": [{ "seq": seq, "table": "notes", "id": format!("n{seq}"), "op": "insert", "after": json!({ "text": text }).to_string() }],
    })
}

fn poke(call: &str, seq: u64, socket: &str) -> Value {
    json!({
        "type": "poke", "at": AT, "object": "room=a", "socket": socket, "fromSeq": seq - 1, "toSeq": seq, "frames": 1,
        "bytes": 100, "ms": 0.5, "calls": [call],
        "subscriptions": [{ "id": "1", "kind": "query", "name": "notes:list", "rowsIn": 1, "rowsOut": 0, "rows": [format!("n{seq}")] }],
    })
}

fn log(level: &str, text: &str) -> Value {
    json!({ "type": "log", "at": AT, "level": level, "text": text, "functionPath": "notes:add", "object": "room=a" })
}

#[tokio::test(flavor = "multi_thread")]
async fn shards_of_all_pages_with_what_is_known_of_them() {
    let app = Development::start().await;
    app.tell(&[commit("c1", 1, "a")]).await;
    let (code, stdout, _) = app.lunora(&["shards"]).await;
    assert_eq!(code, 0);
    let lines: Vec<Vec<&str>> = stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["shard", "tier", "sockets", "ops/s", "last", "write"]);
    assert_eq!(lines[1], ["__root__", "root", "–", "–", "–"]);
    assert_eq!((lines[2][0], lines[2].last()), ("room=a", Some(&"12:03:04.123Z")));
    assert_eq!(lines[3], ["2", "shards"]);
    app.lunora(&["shards", "--search", "room"]).await;
    let asked = app.worker.asked.lock().unwrap().last().cloned();
    assert_eq!(
        asked,
        Some((
            "shards".to_owned(),
            json!({ "limit": 200, "cursor": "2", "search": "room" })
        ))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_a_shard_and_of_all_of_them() {
    let app = Development::start().await;
    let (code, stdout, _) = app
        .lunora(&["oplog", "room=a", "--table", "notes", "--limit", "2"])
        .await;
    assert_eq!(code, 0);
    assert_eq!(
        stdout,
        "2026-11-21 12:03:04.000Z  #1 insert notes n1  {\"text\":\"a\"}\n\
         2026-11-21 12:03:04.123Z  #2 update notes n1  text: \"a\" → \"b\"\n\
         room=a: kept from #1 to #2, epoch e1\n"
    );
    let asked = app.worker.asked.lock().unwrap().last().cloned();
    assert_eq!(
        asked,
        Some((
            "oplog".to_owned(),
            json!({ "object": "room=a", "limit": 2, "table": "notes" })
        ))
    );

    app.tell(&[commit("c1", 1, "a"), commit("c2", 2, "b"), commit("c3", 3, "c")])
        .await;
    let seen = app.json(&["oplog", "--limit", "2"]).await;
    let texts: Vec<&str> = seen["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["after"].as_str().unwrap())
        .collect();
    assert_eq!(
        texts,
        [r#"{"text":"b"}"#, r#"{"text":"c"}"#],
        "the newest, in their order"
    );
    let one = app.json(&["oplog", "--id", "n1"]).await;
    assert_eq!(one["events"][0]["call"], "c1");
    assert_eq!(one["events"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn pokes_of_a_socket_and_logs_of_a_level() {
    let app = Development::start().await;
    app.tell(&[
        poke("c1", 1, "s1"),
        poke("c1", 1, "s2"),
        log("log", "quiet"),
        log("error", "loud"),
    ])
    .await;
    let (_, stdout, _) = app.lunora(&["pokes", "--socket", "s2"]).await;
    assert_eq!(
        stdout,
        "12:03:04.123Z  room=a  socket s2  #0 → #1  1 frame, 100 B, 0.5 ms  ← c1\n    query notes:list  +1 −0  n1\n"
    );
    let (_, stdout, _) = app.lunora(&["logs", "--level", "warn"]).await;
    assert_eq!(stdout, "12:03:04.123Z  error  notes:add in room=a  loud\n");
    assert_eq!(app.json(&["logs"]).await["events"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_and_what_it_caused() {
    let app = Development::start().await;
    app.tell(&[commit("c1", 1, "a"), poke("c1", 1, "s1")]).await;
    let (code, stdout, _) = app
        .lunora(&["run", "notes:add", r#"{"text":"a"}"#, "--as", "ada"])
        .await;
    assert_eq!(
        (code, stdout.as_str()),
        (
            0,
            "✓ notes:add\n\"n1\"\nops\n  #1 insert notes n1  {\"text\":\"a\"}\npokes\n  \
             12:03:04.123Z  room=a  socket s1  #0 → #1  1 frame, 100 B, 0.5 ms  ← c1\n      query notes:list  +1 −0  n1\n"
        )
    );
    let asked = app.worker.asked.lock().unwrap().last().cloned();
    let body = json!({ "functionPath": "notes:add", "args": { "text": "a" }, "identity": { "userId": "ada" } });
    assert_eq!(asked, Some(("run".to_owned(), body)), "asked once");
    let (code, stdout, _) = app.lunora(&["run", "notes:refuse"]).await;
    assert_eq!((code, stdout.as_str()), (1, "error[FORBIDDEN]: not yours\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_server_and_one_that_is_gone() {
    let app = Development::start().await;
    let file = app.project.path(".lunora/inspector.json");
    let left = std::fs::read_to_string(&file).unwrap();
    app.inspector.close().await;
    let (code, _, stderr) = app.lunora(&["logs"]).await;
    assert_eq!(code, 2);
    assert!(
        stderr.contains("error[INSPECTOR_NOT_RUNNING]: no development server of"),
        "{stderr}"
    );
    // Its process lives on, and has no inspector any more.
    std::fs::write(&file, left).unwrap();
    let (code, _, stderr) = app.lunora(&["logs"]).await;
    assert_eq!(code, 2);
    assert!(stderr.contains("nobody answers at"), "{stderr}");
}

/// What the process of [`following`] runs; by itself it does nothing.
#[test]
fn a_command_of_its_own_process() {
    let Ok(folder) = std::env::var("LUNORA_TEST_FOLLOW") else {
        return;
    };
    let outcome = lunora_cli::run(&CommandOptions {
        arguments: ["logs", "--follow", "--json"].map(str::to_owned).to_vec(),
        working_directory: folder.into(),
        color: false,
        columns: None,
        node_version: None,
    });
    match outcome {
        CommandOutcome::Done { exit_code, stderr, .. } => {
            eprintln!("{stderr}");
            std::process::exit(i32::from(exit_code) + 40);
        }
        other => panic!("{other:?}"),
    }
}

/// `lunora logs --follow --json` as a process of its own: standard output is the process's.
fn following(app: &Development) -> (Child, std::io::Lines<BufReader<ChildStdout>>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_command_of_its_own_process", "--nocapture"])
        .env("LUNORA_TEST_FOLLOW", app.project.path("."))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines)
}

/// The next document; what the test's own frame says is none.
fn next(lines: &mut std::io::Lines<BufReader<ChildStdout>>) -> Value {
    loop {
        let line = lines.next().unwrap().unwrap();
        if let Some(start) = line.find('{') {
            return serde_json::from_str(&line[start..]).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn following_outlives_the_server_and_ends_with_its_reader() {
    let mut app = Development::start().await;
    app.tell(&[log("log", "before")]).await;
    let (mut child, mut lines) = following(&app);
    assert_eq!(next(&mut lines)["text"], "before");
    app.tell(&[log("log", "during"), poke("c1", 1, "s1")]).await;
    assert_eq!(next(&mut lines)["text"], "during");

    app.inspector.close().await;
    assert_eq!(next(&mut lines), json!({ "waiting": true }));
    app.restart().await;
    assert_eq!(next(&mut lines), json!({ "restarted": true }));
    app.tell(&[json!({ "type": "dropped", "at": AT, "count": 3 }), log("log", "after")])
        .await;
    assert_eq!(next(&mut lines), json!({ "missed": 3 }));
    assert_eq!(next(&mut lines)["text"], "after");

    drop(lines);
    let ended = tokio::task::spawn_blocking(move || child.wait())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        ended.code(),
        Some(40),
        "a closed pipe ends it, without an event and without an error"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn chaos_is_begun_looked_at_and_ended() {
    let app = Development::start().await;
    let said = |stdout: &str| serde_json::from_str::<Value>(stdout).unwrap()["chaos"].clone();
    let (code, stdout, _) = app.lunora(&["chaos"]).await;
    assert_eq!((code, stdout.as_str()), (0, "nothing goes wrong on purpose\n"));
    let (code, stdout, _) = app.lunora(&["chaos", "42", "--json"]).await;
    assert_eq!((code, &said(&stdout)["seed"]), (0, &json!(42)));
    let (code, stdout, _) = app.lunora(&["chaos"]).await;
    assert_eq!(code, 0);
    assert!(
        stdout.starts_with("seed 42 since ") && stdout.contains(", at step "),
        "{stdout}"
    );
    let (code, stdout, _) = app.lunora(&["chaos", "--stop", "--json"]).await;
    assert_eq!((code, said(&stdout)), (0, Value::Null));
    let (code, stdout, _) = app.lunora(&["chaos"]).await;
    assert_eq!((code, stdout.as_str()), (0, "nothing goes wrong on purpose\n"));
}
