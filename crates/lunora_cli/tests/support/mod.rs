//! A project with an inspector, and a worker that answers what the inspector asks of one.

mod command;

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::post;
use lunora_inspector::timeline::Limits;
use lunora_inspector::{Inspector, InspectorOptions};
use lunora_testing::TempProject;
use serde_json::{Value, json};

/// What a worker was asked, and what it answers.
#[derive(Clone, Default)]
pub struct Worker {
    pub asked: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Worker {
    async fn answer(State(worker): State<Self>, Path(operation): Path<String>, body: String) -> String {
        let body: Value = serde_json::from_str(&body).unwrap();
        let value = match (operation.as_str(), body["cursor"].as_str()) {
            ("shards", None) => json!({ "shards": [{ "name": "__root__", "tier": "root" }], "cursor": "2" }),
            ("shards", Some(_)) => json!({ "shards": [{ "name": "room=a", "tier": "shardBy" }], "cursor": null }),
            ("oplog", _) => json!({ "epoch": "e1", "floor": 1, "head": 2, "entries": [
                { "seq": 2, "at": 1_795_262_584_123_u64, "table": "notes", "id": "n1", "op": "update", "before": { "text": "a" }, "after": { "text": "b" } },
                { "seq": 1, "at": 1_795_262_584_000_u64, "table": "notes", "id": "n1", "op": "insert", "before": null, "after": { "text": "a" } },
            ]}),
            ("run", _) if body["functionPath"] == "notes:refuse" => {
                json!({ "error": { "code": "FORBIDDEN", "message": "not yours" }, "call": "c9" })
            }
            ("run", _) => json!({ "result": "n1", "call": "c1", "fromSeq": 1, "toSeq": 1 }),
            other => panic!("nobody asks for {other:?}"),
        };
        worker.asked.lock().unwrap().push((operation, body));
        json!({ "value": value }).to_string()
    }

    /// Answers on a port of its own.
    pub async fn listen(&self) -> String {
        let router = Router::new()
            .route("/_lunora/admin/inspect/{operation}", post(Self::answer))
            .with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        url
    }
}

/// A project whose development server runs, as far as a command can tell.
pub struct Development {
    pub project: TempProject,
    pub worker: Worker,
    pub inspector: Inspector,
    url: String,
}

async fn inspector(root: PathBuf, url: &str) -> Inspector {
    Inspector::start(InspectorOptions {
        root,
        port: 0,
        limits: Limits::default(),
        app: "app".to_owned(),
        version: "0".to_owned(),
        worker: Some((url.to_owned(), "a-token-of-the-worker".to_owned())),
        residency: Arc::new(|| Ok(json!({}))),
        mail: None,
        chaos_changed: Arc::new(drop),
        clock: Arc::new(SystemTime::now),
    })
    .await
    .unwrap()
}

impl Development {
    pub async fn start() -> Self {
        let project = TempProject::new([("package.json", "{}"), ("lunora/schema.ts", "")]);
        let worker = Worker::default();
        let url = worker.listen().await;
        Self {
            inspector: inspector(project.path("."), &url).await,
            project,
            worker,
            url,
        }
    }

    /// Another run of the server.
    pub async fn restart(&mut self) {
        self.inspector = inspector(self.project.path("."), &self.url).await;
    }

    /// As the app's worker tells it.
    pub async fn tell(&self, events: &[Value]) {
        let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
        let body = format!("{}\n{lines}", json!({ "region": null, "generation": 1, "now": 0 }));
        let socket = self.inspector.tap_socket().clone();
        let told = tokio::task::spawn_blocking(move || {
            let mut stream = UnixStream::connect(socket).unwrap();
            let head = format!(
                "POST /events HTTP/1.1\r\nhost: tap\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        });
        let answer = told.await.unwrap();
        // 204 while nobody looks.
        let taken = ["HTTP/1.1 200", "HTTP/1.1 204"]
            .iter()
            .any(|status| answer.starts_with(status));
        assert!(taken, "{answer}");
    }

    /// Runs the command: exit code, standard output, standard error.
    pub async fn lunora(&self, arguments: &[&str]) -> (u8, String, String) {
        command::lunora(&self.project, arguments).await
    }

    /// The command's JSON.
    pub async fn json(&self, arguments: &[&str]) -> Value {
        let (_, stdout, stderr) = self.lunora(&[arguments, &["--json"]].concat()).await;
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}"))
    }
}
