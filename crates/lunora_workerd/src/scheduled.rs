//! Raises `scheduled()` in the worker.

use std::io;

use bytes::Bytes;
use hyper::Request;
use serde::Deserialize;

use crate::events_socket::EventsSocket;

#[derive(Deserialize)]
struct Answer {
    outcome: String,
}

impl EventsSocket {
    /// Raises `scheduled()` for an expression and its time in milliseconds since the epoch. Resolves to whether the
    /// handler ended well; it has logged what went wrong.
    ///
    /// # Errors
    /// When the worker does not answer.
    pub async fn scheduled(&self, cron: &str, time: i64) -> io::Result<bool> {
        let body = serde_json::json!({ "cron": cron, "scheduledTime": time }).to_string();
        let request = Request::post("/scheduled");
        let answer: Answer = serde_json::from_slice(&self.raise(request, Bytes::from(body)).await?)?;
        Ok(answer.outcome == "ok")
    }
}
