//! Requests a second: writes with and without group commit, and reads; and the same calls by the binding in the real
//! workerd, to this server and to the D1 that workerd bundles. Rounds of all by turns, so that what else the machine does
//! meets all. `cargo run --release -p lunora_d1 --example writes [folder] [connections]`; the folder decides the disk.
#![allow(clippy::print_stdout, reason = "what it measured is its answer")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lunora_d1::{D1Limits, D1Server};
use serde_json::json;
use support::workerd::Workerd;
use support::{Client, start_with};

const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_secs(2);
const TABLE: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t (v) VALUES ('a')";
const INSERT: &str =
    "INSERT INTO t (v) VALUES ('a row of about a hundred bytes, as an application would have one, not long')";
const SELECT: &str = "SELECT v FROM t WHERE id = 1";

/// `/ours/run` and the like: one call of the binding.
const WORKER: &str = r#"
export default {
  async fetch(request, env) {
    const [, side, way] = new URL(request.url).pathname.split("/");
    const statement = (side === "ours" ? env.OURS : env.BUNDLED).prepare(await request.text());
    await (way === "run" ? statement.run() : statement.first());
    return new Response("ok");
  },
};
"#;

/// One way of asking, and how often it was answered.
struct Way {
    name: &'static str,
    path: &'static str,
    body: String,
    connections: Vec<Client>,
    rates: Vec<f64>,
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let parent = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let connections: usize = arguments.next().map_or(50, |text| text.parse().unwrap());
    let folder = tempfile::tempdir_in(parent).unwrap();
    let single = server(&folder.path().join("single"), 1).await;
    let grouped = server(&folder.path().join("grouped"), 128).await;
    let mut workerd = Workerd::run(folder.path(), grouped.socket(), &[("worker.js", WORKER)]);
    let mut client = workerd.connect().await;
    assert_eq!(client.post("/bundled/run", TABLE).await.status, 200);
    let asked = |sql| json!({ "sql": sql, "params": [] }).to_string();
    let mut ways = Vec::new();
    for (name, server, sql) in [
        ("writes, a commit each", &single, INSERT),
        ("writes, group commit", &grouped, INSERT),
        ("reads", &grouped, SELECT),
    ] {
        let mut clients = Vec::new();
        for _ in 0..connections {
            clients.push(Client::of(server).await);
        }
        ways.push(way(name, "/query?resultsFormat=ROWS_AND_COLUMNS", asked(sql), clients));
    }
    for (name, path, sql) in [
        ("writes by workerd", "/ours/run", INSERT),
        ("writes by workerd, bundled", "/bundled/run", INSERT),
        ("reads by workerd", "/ours/first", SELECT),
        ("reads by workerd, bundled", "/bundled/first", SELECT),
    ] {
        let mut clients = Vec::new();
        for _ in 0..connections {
            clients.push(workerd.connect().await);
        }
        ways.push(way(name, path, sql.to_owned(), clients));
    }
    println!("fsync of 4 KiB: {:.3} ms (median)", fsync(folder.path()));
    for _ in 0..ROUNDS {
        for way in &mut ways {
            let rate = round(way).await;
            way.rates.push(rate);
        }
    }
    for way in &mut ways {
        let middle = median(&mut way.rates);
        let (least, most) = (way.rates[0], way.rates[ROUNDS - 1]);
        println!(
            "{:>27}, {connections} connections: {middle:.0}/s ({least:.0} to {most:.0})",
            way.name
        );
    }
    drop((ways, workerd));
    single.close().await;
    grouped.close().await;
}

async fn server(folder: &Path, group: usize) -> D1Server {
    let limits = D1Limits {
        group,
        ..D1Limits::default()
    };
    let server = start_with(folder, limits).await;
    Client::of(&server).await.query(TABLE, json!([])).await.rows();
    server
}

fn way(name: &'static str, path: &'static str, body: String, connections: Vec<Client>) -> Way {
    Way {
        name,
        path,
        body,
        connections,
        rates: Vec::new(),
    }
}

/// Answers a second, each connection asking again once it is answered.
async fn round(way: &mut Way) -> f64 {
    let end = Instant::now() + ROUND;
    let mut tasks = Vec::new();
    for mut client in way.connections.drain(..) {
        let (path, body) = (way.path, way.body.clone());
        tasks.push(tokio::spawn(async move {
            let mut count = 0_u32;
            while Instant::now() < end {
                assert_eq!(client.post(path, body.clone()).await.status, 200);
                count += 1;
            }
            (client, count)
        }));
    }
    let mut all = 0;
    for task in tasks {
        let (client, count) = task.await.unwrap();
        way.connections.push(client);
        all += count;
    }
    f64::from(all) / ROUND.as_secs_f64()
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

fn fsync(folder: &Path) -> f64 {
    let mut file = std::fs::File::create(folder.join("fsync")).unwrap();
    let mut times: Vec<f64> = (0..200)
        .map(|_| {
            std::io::Write::write_all(&mut file, &[0; 4096]).unwrap();
            let began = Instant::now();
            file.sync_data().unwrap();
            began.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    median(&mut times)
}
