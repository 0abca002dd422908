//! The socket on which events are raised in the worker, which only this process knows.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper::http::request;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio::time::timeout;

/// A worker that is being reloaded takes it when it is there; one that hangs is given up.
const LIMIT: Duration = Duration::from_secs(30);

/// The socket. It outlives processes, so that what is raised during a reload reaches the next one.
#[derive(Debug, Clone)]
pub struct EventsSocket(PathBuf);

impl EventsSocket {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Sends one request and answers the body.
    pub(crate) async fn raise(&self, request: request::Builder, body: Bytes) -> io::Result<Bytes> {
        timeout(LIMIT, self.ask(request, body))
            .await
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "the worker did not answer in time"))?
    }

    async fn ask(&self, request: request::Builder, body: Bytes) -> io::Result<Bytes> {
        let stream = UnixStream::connect(&self.0).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        // Ends with the sender; its errors reach the request below.
        tokio::spawn(async move { drop(connection.await) });
        let request = request
            .header("host", "events")
            .body(Full::new(body))
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
        Ok(bytes)
    }
}
