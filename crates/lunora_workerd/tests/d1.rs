//! D1 bindings on the real workerd: which database a binding leads to, from the worker and from objects of every region.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::path::{Path, PathBuf};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use lunora_workerd::{D1, D1Binding, DurableObject, WorkerDescription};
use serde_json::{Value, json};
use support::{describe_source, post, start};
use tokio::net::UnixListener;

const HEADER: &str = "x-which-database";

const ASKER: &str = r#"
import { DurableObject } from "cloudflare:workers";
const ask = async (env, binding) => {
  try {
    return await env[binding].prepare("SELECT ?").bind(7).all().then(({ results }) => results);
  } catch (error) {
    return String(error.message);
  }
};
export class Shard extends DurableObject {
  ask(binding) { return ask(this.env, binding); }
}
export default {
  async fetch(request, env) {
    const { binding, jurisdiction } = await request.json();
    if (jurisdiction === undefined) return Response.json(await ask(env, binding));
    const namespace = env.SHARD.jurisdiction(jurisdiction);
    return Response.json(await namespace.get(namespace.idFromName("a")).ask(binding));
  },
};
"#;

/// Answers every query by the database that is asked, and what it is asked.
fn server(folder: &Path) -> PathBuf {
    let socket = folder.join("d1.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = |request: Request<hyper::body::Incoming>| async move {
                let database = request.headers()[HEADER].to_str().unwrap().to_owned();
                let body = request.into_body().collect().await?.to_bytes();
                let Value::Object(query) = serde_json::from_slice(&body).unwrap() else {
                    panic!("one query")
                };
                let results = json!({ "columns": ["database", "sql", "value"], "rows": [[database, query["sql"], query["params"][0]]] });
                let answer = json!({ "success": true, "results": results, "meta": { "duration": 0 } });
                Ok::<_, hyper::Error>(Response::new(Full::new(Bytes::from(answer.to_string()))))
            };
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)),
            );
        }
    });
    socket
}

fn describe(socket: &Path) -> WorkerDescription {
    let mut description = describe_source(ASKER);
    description.durable_objects = vec![DurableObject {
        binding: "SHARD".to_owned(),
        class_name: "Shard".to_owned(),
        unique_key: "Shard".to_owned(),
    }];
    description.jurisdictions = vec!["eu".to_owned()];
    let binding = |name: &str, database: &str| D1Binding {
        name: name.to_owned(),
        database: database.to_owned(),
    };
    description.d1 = Some(D1 {
        socket: socket.to_owned(),
        header: HEADER.to_owned(),
        bindings: vec![binding("DB", "DB"), binding("DB_EU", "DB_EU"), binding("ALSO", "DB")],
    });
    description
}

#[tokio::test(flavor = "multi_thread")]
async fn each_binding_leads_to_its_database_from_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let worker = start(folder.path()).await;
    let mut description = describe(&server(folder.path()));
    description.experimental = false;
    description.new_module_registry = false;
    worker.update(description).await.unwrap();
    for (binding, database) in [("DB", "DB"), ("DB_EU", "DB_EU"), ("ALSO", "DB")] {
        for asked in [
            json!({ "binding": binding }),
            json!({ "binding": binding, "jurisdiction": "eu" }),
        ] {
            let answer = post(&worker, "/", asked.to_string()).await;
            let found: Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(
                found,
                json!([{ "database": database, "sql": "SELECT ?", "value": 7 }]),
                "{asked}"
            );
        }
    }
    worker.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_gone_is_an_error_of_the_call() {
    let folder = tempfile::tempdir().unwrap();
    let worker = start(folder.path()).await;
    worker
        .update(describe(&folder.path().join("nobody.sock")))
        .await
        .unwrap();
    let answer = post(&worker, "/", r#"{"binding":"DB"}"#).await;
    // The worker has caught it; the words are workerd's.
    assert!(
        answer.status.is_success() && answer.text().contains("internal error"),
        "{}",
        answer.text()
    );
    worker.close().await;
}
