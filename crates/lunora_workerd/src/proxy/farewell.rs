//! Asks a worker that is about to be replaced to tell what it still holds for the inspector.
//!
//! Its tap sends in batches, and what waits for the next one would be gone with the process: the commits of the very moment
//! in which code is saved.

use std::io;
use std::time::Duration;

use hyper::header::HOST;
use hyper::{Method, Request};
use tokio::time::timeout;

use crate::proxy::body::ProxyBody;
use crate::proxy::pool::Pool;

/// Answered by the tap, before any code of the app.
const PATH: &str = "/_lunora/tap";
/// How long it may take: a save is waiting for the next worker.
const LIMIT: Duration = Duration::from_millis(50);

impl Pool {
    /// Resolves when everything was told, or can be waited for no longer.
    pub(crate) async fn farewell(&self) {
        // Who cannot be asked, or does not come to an end in time, is ended all the same.
        drop(timeout(LIMIT, self.ask_for_the_rest()).await);
    }

    async fn ask_for_the_rest(&self) -> io::Result<()> {
        let mut sender = self.connect().await?;
        let request = Request::builder()
            .method(Method::POST)
            .uri(PATH)
            .header(HOST, "localhost")
            .body(ProxyBody::Whole(None))
            .map_err(io::Error::other)?;
        sender.send_request(request).await.map_err(io::Error::other)?;
        Ok(())
    }
}
