//! Ctrl-C, for commands that have something to put in order before they end.
//!
//! The process belongs to the host, and so do its signals: it calls [`interrupt`] and ends the process by itself where
//! nobody listens.

use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;

static LISTENER: Mutex<Option<oneshot::Sender<()>>> = Mutex::new(None);

/// Tells the command that runs to end. Answers whether one listens that has not been told before; if none does, the
/// signal means what it always means.
pub fn interrupt() -> bool {
    let listener = LISTENER.lock().unwrap_or_else(PoisonError::into_inner).take();
    listener.is_some_and(|listener| listener.send(()).is_ok())
}

/// Listens until it is dropped.
pub(crate) struct Interruption {
    told: oneshot::Receiver<()>,
}

impl Interruption {
    /// From now on the first interrupt is told here.
    pub(crate) fn listen() -> Self {
        let (sender, told) = oneshot::channel();
        *LISTENER.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        Self { told }
    }

    /// Resolves when it is told.
    pub(crate) async fn told(&mut self) {
        if (&mut self.told).await.is_err() {
            // Somebody else listens by now, and will be told.
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_listener_is_told_once() {
        assert!(!interrupt());
        let mut interruption = Interruption::listen();
        assert!(interrupt());
        assert!(!interrupt(), "the second one ends the process");
        interruption.told().await;
        drop(Interruption::listen());
        assert!(!interrupt(), "nobody listens any more");
    }
}
