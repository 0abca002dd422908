//! `GET /api/status`

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::api::Api;
use crate::mail::MailStatus;

/// Of an engine that runs no worker.
const NO_MAIL: MailStatus = MailStatus {
    count: 0,
    unread: 0,
    bytes: 0,
};

pub(crate) async fn status(State(api): State<Api>) -> Json<Value> {
    let (worker, generation, jurisdiction) = {
        let app = api.hub.app();
        let jurisdiction = app
            .application
            .get("jurisdiction")
            .and_then(Value::as_str)
            .map(str::to_owned);
        (app.worker, app.generation, jurisdiction)
    };
    let mail = api.inbox.as_ref().map_or(NO_MAIL, |inbox| inbox.status());
    let size = api.hub.timeline().size();
    Json(json!({
        "app": api.about.app,
        "version": api.about.version,
        "generation": generation,
        "worker": worker,
        "url": api.about.url,
        "uptimeMs": api.hub.uptime(),
        "jurisdictions": jurisdiction.iter().collect::<Vec<_>>(),
        "pinned": jurisdiction,
        "faults": api.upstream.is_some(),
        "chaos": api.chaos.state(),
        "timeline": size,
        "mail": mail,
    }))
}
