//! Where the inspector is found while it runs, and what it leaves.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use lunora_inspector::timeline::Limits;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::support::{conforms, start};

#[tokio::test]
async fn it_is_found_by_its_file_and_leaves_nothing() {
    let running = start(None, Limits::default()).await;
    let path = running.folder.path().join(".lunora/inspector.json");
    let entry: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    conforms("RunFile", &entry);
    assert_eq!(entry["origin"], format!("http://{}", running.authority));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let socket = running.inspector.tap_socket().clone();
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(
        std::fs::metadata(socket.parent().unwrap())
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o700
    );
    running.inspector.close().await;
    running.inspector.close().await;
    assert!(!path.exists() && !socket.parent().unwrap().exists());
    assert!(TcpStream::connect(&running.authority).await.is_err());
}

#[tokio::test]
async fn a_port_can_be_stated_and_a_taken_one_is_named() {
    let first = start(None, Limits::default()).await;
    let port: u16 = first.authority.rsplit(':').next().unwrap().parse().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let options = |port| lunora_inspector::InspectorOptions {
        root: folder.path().to_owned(),
        port,
        limits: Limits::default(),
        app: String::new(),
        version: String::new(),
        worker: None,
        residency: Arc::new(|| Ok(json!({}))),
        mail: None,
        chaos_changed: Arc::new(drop),
        clock: Arc::new(std::time::SystemTime::now),
    };
    let taken = lunora_inspector::Inspector::start(options(port)).await.err().unwrap();
    assert_eq!(taken.code.to_string(), "PORT_TAKEN");
    assert!(taken.message.contains(&port.to_string()), "{}", taken.message);
    assert!(!folder.path().join(".lunora").exists());
    first.inspector.close().await;
    let again = lunora_inspector::Inspector::start(options(port)).await.unwrap();
    assert_eq!(again.origin(), format!("http://127.0.0.1:{port}"));
}
