//! What the inspector knows of a handler of mail: what it logged, by its call, and where its app is pinned.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

use super::delivery::{Deliver, HandlerLogs, Simulation};
use crate::hub::Hub;
use crate::timeline::Filter;

/// How the worker names the mails that come in; see `receive.js`.
const PATH: &str = "email()";
/// How long the worker may take to tell what happened. While nobody looks it tells once a second.
const LIMIT: Duration = Duration::from_secs(3);
/// Events of one call that are looked at.
const MOST: usize = 1_000;

/// What has been told of a call so far.
struct Told {
    /// The handler has ended. Its isolate says so last.
    has_ended: bool,
    /// Objects that functions of the call ran in, each in an isolate that tells at its own pace, and has not told yet.
    awaited: usize,
    logs: Vec<Value>,
}

impl Told {
    fn of(hub: &Hub, call: &str) -> Self {
        let filter = Filter {
            call: Some(call.to_owned()),
            types: ["request", "call", "log"].map(str::to_owned).to_vec(),
            ..Filter::default()
        };
        let page = hub.timeline().forward(0, None, &filter, MOST);
        let (mut has_ended, mut asked, mut answered, mut logs) = (false, 0_usize, 0_usize, Vec::new());
        for event in page.events {
            // What is held was written by serde_json itself.
            let Ok(event) = serde_json::from_str::<Value>(&event) else {
                continue;
            };
            let text = |field: &str| event.get(field).and_then(Value::as_str);
            let in_object = usize::from(text("object").is_some());
            match text("type") {
                Some("log") => logs.push(event),
                Some("call") => answered += in_object,
                // The handler itself has no function's path.
                _ if text("path") == Some(PATH) && text("functionPath").is_none() => has_ended = true,
                _ => asked += in_object,
            }
        }
        logs.sort_by_key(|log| log.get("at").and_then(Value::as_u64));
        Self {
            has_ended,
            awaited: asked.saturating_sub(answered),
            logs,
        }
    }
}

/// Waits until everything has been told.
async fn complete(hub: &Hub, call: &str) {
    let mut growth = hub.growth();
    loop {
        growth.borrow_and_update();
        let told = Told::of(hub, call);
        if told.has_ended && told.awaited == 0 {
            return;
        }
        if growth.changed().await.is_err() {
            return;
        }
    }
}

fn handler_logs(hub: Arc<Hub>) -> HandlerLogs {
    Arc::new(move |call| {
        let hub = hub.clone();
        Box::pin(async move {
            let waited = timeout(LIMIT, complete(&hub, &call)).await;
            let told = Told::of(&hub, &call);
            // An object that could not be reached never tells.
            (waited.is_ok() || told.has_ended).then_some(told.logs)
        })
    })
}

pub(crate) fn simulation(deliver: Deliver, hub: &Arc<Hub>) -> Simulation {
    let asked = hub.clone();
    Simulation {
        deliver,
        logs: handler_logs(hub.clone()),
        region: Arc::new(move || {
            let app = asked.app();
            let pinned = app.application.get("jurisdiction")?.as_str()?;
            Some(pinned.to_owned())
        }),
    }
}
