//! Lets requests through while a process serves, and makes them wait while none does.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lunora_diagnostics::Diagnostic;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

/// Counts the times the gate was opened: a request knows by it whether its process is still there.
pub(crate) type Epoch = u64;

/// What a request finds.
#[derive(Debug, Clone)]
pub(crate) enum GateState {
    /// A process is coming.
    Holding,
    Serving(Epoch),
    /// None is coming until something is mended.
    Refusing(Arc<Diagnostic>),
    Closed,
}

#[derive(Debug)]
struct Inner {
    state: GateState,
    epoch: Epoch,
    /// The newest epoch whose process ended although nobody asked it to.
    crashed: Epoch,
    in_flight: usize,
}

/// Shared by the proxy's connections and the supervisor.
#[derive(Debug)]
pub(crate) struct Gate {
    inner: Mutex<Inner>,
    /// Mirrors the state, to wait on.
    states: watch::Sender<GateState>,
    /// Mirrors the number in flight, to wait on.
    in_flight: watch::Sender<usize>,
}

/// Why a request was not let through.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It waited as long as it may.
    TimedOut,
    Refusing(Arc<Diagnostic>),
    Closed,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            inner: Mutex::new(Inner {
                state: GateState::Holding,
                epoch: 0,
                crashed: 0,
                in_flight: 0,
            }),
            states: watch::Sender::new(GateState::Holding),
            in_flight: watch::Sender::new(0),
        }
    }

    fn set(&self, state: GateState) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(inner.state, GateState::Closed) {
            inner.state = state.clone();
            self.states.send_replace(state);
        }
    }

    pub(crate) fn hold(&self) {
        self.set(GateState::Holding);
    }

    /// The process that serves now has ended by itself.
    pub(crate) fn mark_crashed(&self) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.crashed = inner.epoch;
    }

    pub(crate) fn ended_by_itself(&self, epoch: Epoch) -> bool {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.crashed == epoch
    }

    pub(crate) fn refuse(&self, diagnostic: Diagnostic) {
        self.set(GateState::Refusing(Arc::new(diagnostic)));
    }

    /// Only where nothing serves: a running worker is worth more than the news that its successor failed.
    pub(crate) fn refuse_unless_serving(&self, diagnostic: Option<Diagnostic>) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let state = match (&inner.state, diagnostic) {
            (GateState::Holding | GateState::Refusing(_), Some(diagnostic)) => {
                GateState::Refusing(Arc::new(diagnostic))
            }
            (GateState::Refusing(_), None) => GateState::Holding,
            _ => return,
        };
        inner.state = state.clone();
        self.states.send_replace(state);
    }

    pub(crate) fn serve(&self) {
        let epoch = {
            let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            inner.epoch += 1;
            inner.epoch
        };
        self.set(GateState::Serving(epoch));
    }

    pub(crate) fn close(&self) {
        self.set(GateState::Closed);
    }

    /// Waits until a process serves, at most until `deadline`.
    pub(crate) async fn enter(self: &Arc<Self>, deadline: Instant) -> Result<Permit, Refusal> {
        let mut states = self.states.subscribe();
        loop {
            states.mark_unchanged();
            {
                let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
                match &inner.state {
                    GateState::Serving(epoch) => {
                        let epoch = *epoch;
                        inner.in_flight += 1;
                        self.in_flight.send_replace(inner.in_flight);
                        return Ok(Permit {
                            gate: Arc::clone(self),
                            epoch,
                        });
                    }
                    GateState::Refusing(diagnostic) => return Err(Refusal::Refusing(Arc::clone(diagnostic))),
                    GateState::Closed => return Err(Refusal::Closed),
                    GateState::Holding => {}
                }
            }
            match timeout_at(deadline, states.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(Refusal::Closed),
                Err(_) => return Err(Refusal::TimedOut),
            }
        }
    }

    /// Waits, at most for `limit`, until the process of `epoch` is known to be gone.
    pub(crate) async fn wait_past(&self, epoch: Epoch, limit: Duration) -> bool {
        let mut states = self.states.subscribe();
        let gone = states.wait_for(|state| !matches!(state, GateState::Serving(now) if *now == epoch));
        timeout(limit, gone).await.is_ok()
    }

    /// Waits, at most for `limit`, until no request is in flight.
    pub(crate) async fn drained(&self, limit: Duration) {
        let mut counts = self.in_flight.subscribe();
        // Either way the process is ended next.
        drop(timeout(limit, counts.wait_for(|count| *count == 0)).await);
    }

    /// A receiver that sees the gate close.
    pub(crate) fn watch(&self) -> watch::Receiver<GateState> {
        self.states.subscribe()
    }
}

/// A request in flight to the process of an epoch.
#[derive(Debug)]
pub(crate) struct Permit {
    gate: Arc<Gate>,
    epoch: Epoch,
}

impl Permit {
    pub(crate) const fn epoch(&self) -> Epoch {
        self.epoch
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut inner = self.gate.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.in_flight -= 1;
        self.gate.in_flight.send_replace(inner.in_flight);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use lunora_diagnostics::codes;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[tokio::test(start_paused = true)]
    async fn waits_for_the_process_and_no_longer_than_it_may() {
        let gate = Arc::new(Gate::new());
        assert!(matches!(gate.enter(soon()).await, Err(Refusal::TimedOut)));
        let waiting = tokio::spawn({
            let gate = Arc::clone(&gate);
            async move { gate.enter(soon()).await.map(|permit| permit.epoch()) }
        });
        tokio::task::yield_now().await;
        gate.serve();
        assert_eq!(waiting.await.unwrap().unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn draining_waits_for_the_last_request() {
        let gate = Arc::new(Gate::new());
        gate.serve();
        let first = gate.enter(soon()).await.unwrap();
        let second = gate.enter(soon()).await.unwrap();
        gate.hold();
        let start = Instant::now();
        gate.drained(Duration::from_millis(50)).await;
        assert_eq!(start.elapsed(), Duration::from_millis(50));
        drop(first);
        drop(second);
        let start = Instant::now();
        gate.drained(Duration::from_millis(50)).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn refusing_answers_at_once_but_never_hides_a_worker_that_serves() {
        let gate = Arc::new(Gate::new());
        let broken = || Some(Diagnostic::error(codes::SYNTAX_ERROR, "x"));
        gate.refuse_unless_serving(broken());
        assert!(matches!(gate.enter(soon()).await, Err(Refusal::Refusing(_))));
        gate.refuse_unless_serving(None);
        assert!(matches!(gate.enter(soon()).await, Err(Refusal::TimedOut)));
        gate.serve();
        gate.refuse_unless_serving(broken());
        assert!(gate.enter(soon()).await.is_ok());
        gate.close();
        gate.serve();
        assert!(matches!(gate.enter(soon()).await, Err(Refusal::Closed)));
    }
}
