//! The socket that the app's worker tells what happens.
//!
//! A unix socket in a folder that only this user can enter: pages cannot reach it, and nobody else on the machine. It lies in
//! the system's folder for temporary files like workerd's own sockets, because the path of a socket is at most about 100 bytes
//! and a project's own folder may be deeper.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use lunora_diagnostics::{Diagnostic, codes};
use tokio::net::UnixListener;

use crate::batch;
use crate::hub::Hub;
use crate::reply::coded;

/// Bytes of one batch: twice what the tap holds at most.
const LONGEST_BATCH: usize = 8 * 1024 * 1024;
const SOCKET_FILE: &str = "tap.sock";

/// The socket and its folder, which goes with it.
pub(crate) struct TapSocket {
    pub listener: UnixListener,
    pub path: PathBuf,
    pub folder: tempfile::TempDir,
}

/// Opens it.
pub(crate) fn open() -> io::Result<TapSocket> {
    let attempt = |parent: Option<&Path>| {
        let mut builder = tempfile::Builder::new();
        builder
            .prefix("lunora-")
            .permissions(std::fs::Permissions::from_mode(0o700));
        let folder = match parent {
            Some(parent) => builder.tempdir_in(parent)?,
            None => builder.tempdir()?,
        };
        let path = folder.path().join(SOCKET_FILE);
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        Ok(TapSocket { listener, path, folder })
    };
    // A long TMPDIR makes the path too long.
    attempt(None).or_else(|_: io::Error| attempt(Some(Path::new("/tmp"))))
}

/// What it answers: 200 while somebody looks, 204 while nobody does. A worker pays 100 µs for the body of an answer.
pub(crate) fn router(hub: Arc<Hub>) -> Router {
    Router::new()
        .route("/events", post(take))
        .layer(DefaultBodyLimit::max(LONGEST_BATCH))
        .with_state(hub)
}

async fn take(State(hub): State<Arc<Hub>>, body: Bytes) -> Response {
    let Some(batch) = batch::read(&body) else {
        let error = Diagnostic::error(
            codes::BAD_REQUEST,
            "the batch does not begin with a line that says where it is from",
        );
        return coded(&error);
    };
    if let Some(fault) = batch.fault {
        tracing::debug!(lost = batch.lost, fault, "the tap told what is no event");
    }
    hub.take(batch.entries, batch.lost);
    if hub.is_open() {
        StatusCode::OK.into_response()
    } else {
        StatusCode::NO_CONTENT.into_response()
    }
}
