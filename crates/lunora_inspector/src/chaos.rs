//! Seeded chaos: faults that a seed decides, played on the running app until somebody stops it.
//!
//! [`plan`] is what a seed leads to, [`player`] finds the targets, [`live`] is the app. The same seed on the same set-up is the
//! same run; DESIGN.md says how far that goes.

mod live;
mod plan;
mod player;
mod random;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use lunora_diagnostics::{Diagnostic, codes};
use serde::Serialize;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::hub::Hub;
use crate::upstream::Upstream;
use live::LiveStage;
use player::{Stage as _, play};

/// The largest seed: what a number of JavaScript holds exactly.
pub const LARGEST_SEED: u64 = (1 << 53) - 1;

/// What is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChaosState {
    /// What it follows from.
    pub seed: u64,
    /// The step that was begun last; 0 before the first.
    pub step: u64,
    /// Epoch milliseconds.
    pub started_at: u64,
}

/// Hears the seed when chaos begins, and nothing when it ends.
pub type ChaosChanged = Arc<dyn Fn(Option<u64>) + Send + Sync>;

struct Playing {
    seed: u64,
    started_at: u64,
    step: Arc<AtomicU64>,
    stop: CancellationToken,
}

/// Starts and stops it; one runs at a time.
pub(crate) struct Chaos {
    hub: Arc<Hub>,
    upstream: Option<Upstream>,
    playing: Mutex<Option<Playing>>,
    stop: CancellationToken,
    tasks: TaskTracker,
    changed: ChaosChanged,
}

impl Chaos {
    /// `stop` ends it with the inspector, whose tasks are `tasks`.
    pub(crate) fn new(
        hub: Arc<Hub>,
        upstream: Option<Upstream>,
        stop: CancellationToken,
        tasks: TaskTracker,
        changed: ChaosChanged,
    ) -> Self {
        Self {
            hub,
            upstream,
            playing: Mutex::default(),
            stop,
            tasks,
            changed,
        }
    }

    pub(crate) fn state(&self) -> Option<ChaosState> {
        let playing = self.playing.lock().unwrap_or_else(PoisonError::into_inner);
        playing.as_ref().map(|playing| ChaosState {
            seed: playing.seed,
            step: playing.step.load(Ordering::Relaxed),
            started_at: playing.started_at,
        })
    }

    /// Plays a seed from its first step, in the place of what is played; nothing from now on for none.
    ///
    /// # Errors
    /// `BAD_REQUEST` for a seed beyond [`LARGEST_SEED`], `WORKER_UNAVAILABLE` where the engine runs no worker.
    pub(crate) fn set(&self, seed: Option<u64>) -> Result<Option<ChaosState>, Diagnostic> {
        if seed.is_some_and(|seed| seed > LARGEST_SEED) {
            let message = format!("a seed is a whole number up to {LARGEST_SEED}");
            return Err(Diagnostic::error(codes::BAD_REQUEST, message));
        }
        let Some(upstream) = &self.upstream else {
            let message = "the engine runs no worker that could be disturbed";
            return Err(Diagnostic::error(codes::WORKER_UNAVAILABLE, message));
        };
        let mut playing = self.playing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = playing.take();
        let stage = LiveStage {
            hub: self.hub.clone(),
            upstream: upstream.clone(),
        };
        if let Some(before) = &before {
            before.stop.cancel();
            stage.tell(mark("stopped", before.seed, before.step.load(Ordering::Relaxed)));
        }
        if let Some(seed) = seed {
            stage.tell(mark("started", seed, 0));
            *playing = Some(self.begin(stage, seed));
        }
        drop(playing);
        if seed.is_some() || before.is_some() {
            (self.changed)(seed);
        }
        Ok(self.state())
    }

    fn begin(&self, stage: LiveStage, seed: u64) -> Playing {
        let (stop, step) = (self.stop.child_token(), Arc::new(AtomicU64::new(0)));
        let playing = Playing {
            seed,
            started_at: self.hub.now(),
            step: step.clone(),
            stop: stop.clone(),
        };
        let hub = self.hub.clone();
        self.tasks.spawn(async move {
            // What happens is what the next step goes by, so that the worker tells it at once.
            let _looking = hub.open_feed();
            let reached = |number| step.store(number, Ordering::Relaxed);
            tokio::select! {
                () = stop.cancelled() => {}
                () = play(&stage, seed, reached) => {}
            }
        });
        playing
    }
}

/// Where it begins and ends in the timeline.
fn mark(state: &str, seed: u64, step: u64) -> Map<String, Value> {
    Map::from_iter([
        ("type".to_owned(), "fault".into()),
        ("fault".to_owned(), "chaos".into()),
        ("state".to_owned(), state.into()),
        ("by".to_owned(), "chaos".into()),
        ("seed".to_owned(), seed.into()),
        ("step".to_owned(), step.into()),
    ])
}
