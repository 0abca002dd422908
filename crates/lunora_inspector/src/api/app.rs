//! `GET /api/app`

use axum::Json;
use axum::extract::State;
use serde_json::Value;

use crate::api::Api;

pub(crate) async fn app(State(api): State<Api>) -> Json<Value> {
    let app = api.hub.app();
    let mut answer = app.application.clone();
    answer.insert("findings".to_owned(), app.findings.clone().into());
    Json(Value::Object(answer))
}
