//! Requests to the host and the answers that come back later.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use lunora_diagnostics::{Diagnostic, codes};
use tokio::sync::oneshot;

use crate::event::EngineEvent;

/// Receives events; called from the engine's own threads and must not block.
pub type EventSink = Arc<dyn Fn(EngineEvent) + Send + Sync>;

/// The side that has JavaScript's bundler.
pub struct Host {
    sink: EventSink,
    next: AtomicU32,
    waiting: Mutex<HashMap<u32, oneshot::Sender<serde_json::Value>>>,
}

impl Host {
    /// A host that hears events through `sink`.
    #[must_use]
    pub fn new(sink: EventSink) -> Self {
        Self {
            sink,
            next: AtomicU32::new(1),
            waiting: Mutex::new(HashMap::new()),
        }
    }

    /// Where events go.
    pub(crate) const fn sink(&self) -> &EventSink {
        &self.sink
    }

    /// Tells the host something.
    pub fn tell(&self, event: EngineEvent) {
        (self.sink)(event);
    }

    /// Asks the host for something.
    ///
    /// # Errors
    /// With the host's own words when it could not do it.
    pub async fn ask(&self, event: impl FnOnce(u32) -> EngineEvent) -> Result<serde_json::Value, String> {
        let request = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(request, sender);
        self.tell(event(request));
        let answer = receiver.await.map_err(|_| "the host went away".to_owned())?;
        match answer.get("error").and_then(serde_json::Value::as_str) {
            Some(error) => Err(error.to_owned()),
            None => Ok(answer),
        }
    }

    /// Takes the answer to a request.
    ///
    /// # Errors
    /// When nobody waits for it.
    pub fn respond(&self, request: u32, answer: serde_json::Value) -> Result<(), Diagnostic> {
        let sender = self
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&request);
        match sender {
            // The asker may have been cancelled meanwhile; then the answer is simply late.
            Some(sender) => {
                drop(sender.send(answer));
                Ok(())
            }
            None => Err(Diagnostic::error(
                codes::HOST_PROTOCOL,
                format!("an answer came for request `{request}`, which is not open"),
            )
            .with_help("Answer each request once, with the number it came with.")),
        }
    }
}
