//! The running app as a stage.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lunora_diagnostics::codes;
use serde_json::{Map, Value, json};
use tokio::time::{sleep, timeout};

use super::player::{KnownObject, Stage, Trouble};
use crate::api::json_of;
use crate::hub::{Hub, WorkerState};
use crate::timeline::{Entry, Filter};
use crate::upstream::Upstream;

/// How long the worker may take for one answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Faults that are looked through for the word of a step.
const LOOKED_AT: usize = 100;

/// See the module.
pub(super) struct LiveStage {
    pub hub: Arc<Hub>,
    pub upstream: Upstream,
}

/// A refusal of what is wrong for good does not pass; a socket that went, a region that is away and a worker that
/// restarts do.
fn refused(status: u16, answer: &Value) -> Trouble {
    let field = |name: &str| answer["error"][name].as_str();
    let code = field("code").unwrap_or("INTERNAL").to_owned();
    let message = field("message").map_or_else(|| format!("the worker answered {status}"), str::to_owned);
    let passes = status >= 500 || code == "NOT_FOUND";
    Trouble { code, message, passes }
}

impl LiveStage {
    async fn ask(&self, operation: &str, argument: &Value) -> Result<Value, Trouble> {
        let unavailable = |message: String| Trouble {
            code: codes::WORKER_UNAVAILABLE.to_string(),
            message,
            passes: true,
        };
        let body = Bytes::from(argument.to_string());
        let asking = async {
            let answer = self.upstream.post(&format!("inspect/{operation}"), body).await;
            let answer = answer.map_err(|error| unavailable(error.message))?;
            json_of(answer).await.map_err(|error| unavailable(error.0.message))
        };
        let late = |_| Err(unavailable("the app's worker does not answer".to_owned()));
        let (status, mut answer) = timeout(PATIENCE, asking).await.unwrap_or_else(late)?;
        if status.is_success() {
            Ok(answer["value"].take())
        } else {
            Err(refused(status.as_u16(), &answer))
        }
    }
}

impl Stage for LiveStage {
    fn now(&self) -> u64 {
        self.hub.now()
    }

    async fn rest(&self, ms: u64) {
        sleep(Duration::from_millis(ms)).await;
    }

    fn is_serving(&self) -> bool {
        self.hub.app().worker == WorkerState::Serving
    }

    fn objects(&self) -> Vec<KnownObject> {
        let now = self.hub.now();
        let timeline = self.hub.timeline();
        let mut objects: Vec<KnownObject> = timeline
            .objects(now)
            .map(|(name, has_clients)| KnownObject {
                name: name.to_owned(),
                has_clients,
            })
            .collect();
        drop(timeline);
        objects.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        objects
    }

    fn region(&self) -> Option<String> {
        let app = self.hub.app();
        let region = app.application.get("jurisdiction")?.as_str();
        region.map(str::to_owned)
    }

    async fn sockets(&self, object: &str) -> Result<Vec<String>, Trouble> {
        let clients = self.ask("clients", &json!({ "object": object })).await?;
        let sockets = clients["sockets"].as_array().into_iter().flatten();
        let names = sockets.filter_map(|socket| socket["socket"].as_str().map(str::to_owned));
        let mut sockets: Vec<String> = names.collect();
        let timeline = self.hub.timeline();
        // Those that were there before the inspector come last, by name.
        let opened = |socket: &str| timeline.first_of_socket(socket).unwrap_or(u64::MAX);
        sockets.sort_by_cached_key(|socket| (opened(socket), socket.clone()));
        drop(timeline);
        Ok(sockets)
    }

    fn next_event(&self) -> u64 {
        self.hub.timeline().next()
    }

    fn was_told(&self, since: u64, seed: u64, step: u64) -> bool {
        let faults = Filter {
            types: vec!["fault".to_owned()],
            ..Filter::default()
        };
        // Few steps have as many words: what one armed says once more that it happened.
        let told = self
            .hub
            .timeline()
            .forward(since.saturating_sub(1), None, &faults, LOOKED_AT);
        told.events.iter().any(|event| {
            let event: Value = serde_json::from_str(event).unwrap_or_default();
            event["by"] == "chaos" && event["seed"] == seed && event["step"] == step
        })
    }

    async fn disturb(&self, argument: &Value) -> Result<(), Trouble> {
        self.ask("fault", argument).await.map(drop)
    }

    fn tell(&self, mut event: Map<String, Value>) {
        event.insert("at".to_owned(), self.hub.now().into());
        match Entry::of(event, None) {
            Ok(entry) => self.hub.take(vec![entry], 0),
            Err(error) => tracing::debug!(%error, "chaos told what is no event"),
        }
    }
}
