//! Raises `scheduled()` in the worker, by the socket that only this process knows.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::UnixStream;
use tokio::time::timeout;

/// A worker that is being reloaded takes it when it is there; one that hangs is given up.
const LIMIT: Duration = Duration::from_secs(30);

#[derive(Deserialize)]
struct Answer {
    outcome: String,
}

/// The socket. It outlives processes, so that what is raised during a reload reaches the next one.
#[derive(Debug, Clone)]
pub struct EventsSocket(PathBuf);

impl EventsSocket {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Raises `scheduled()` for an expression and its time in milliseconds since the epoch. Resolves to whether the
    /// handler ended well; it has logged what went wrong.
    ///
    /// # Errors
    /// When the worker does not answer.
    pub async fn scheduled(&self, cron: &str, time: i64) -> io::Result<bool> {
        timeout(LIMIT, ask(&self.0, cron, time))
            .await
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "the worker did not answer in time"))?
    }
}

async fn ask(socket: &Path, cron: &str, time: i64) -> io::Result<bool> {
    let stream = UnixStream::connect(socket).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    // Ends with the sender; its errors reach the request below.
    tokio::spawn(async move { drop(connection.await) });
    let body = serde_json::json!({ "cron": cron, "scheduledTime": time }).to_string();
    let request = Request::post("/scheduled")
        .header("host", "events")
        .body(Full::new(Bytes::from(body)))
        .map_err(io::Error::other)?;
    let response = sender.send_request(request).await.map_err(io::Error::other)?;
    let status = response.status();
    let bytes = response
        .into_body()
        .collect()
        .await
        .map_err(io::Error::other)?
        .to_bytes();
    if !status.is_success() {
        return Err(io::Error::other(format!("the worker answered {status}")));
    }
    let answer: Answer = serde_json::from_slice(&bytes)?;
    Ok(answer.outcome == "ok")
}
