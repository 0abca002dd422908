//! What the engine says of the app.

use lunora_inspector::timeline::Limits;
use serde_json::{Value, json};

use crate::good;
use crate::support::start;

#[tokio::test]
async fn the_app_is_what_the_engine_said_last() {
    let running = start(None, Limits::default()).await;
    let empty = good(&running, "/api/app", "App").await;
    assert_eq!(empty["tables"], json!([]));
    let application = json!({
        "jurisdiction": "eu",
        "tables": [{ "name": "t", "tier": "shardBy", "shardBy": "room", "fields": {}, "indexes": {}, "needsPolicy": false }],
        "functions": [], "shapes": [], "drift": [],
    });
    let Value::Object(application) = application else {
        panic!()
    };
    running.inspector.set_application(application);
    running.inspector.set_findings(vec![
        json!({ "code": "X_Y", "severity": "error", "message": "m", "help": null, "labels": [] }),
    ]);
    let app = good(&running, "/api/app", "App").await;
    assert_eq!(
        (&app["tables"][0]["name"], &app["findings"][0]["code"]),
        (&json!("t"), &json!("X_Y"))
    );
    assert_eq!(good(&running, "/api/status", "Status").await["pinned"], "eu");
}
