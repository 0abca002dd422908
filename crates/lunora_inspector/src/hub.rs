//! What all parts of a running inspector share.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use crate::log_join::{LogJoin, TapLine, WorkerLine};
use crate::timeline::{Entry, Limits, Timeline};

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// How long after a call of the API somebody is taken to be looking, milliseconds.
const LOOKING: u64 = 10_000;

/// Whether the app's worker serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum WorkerState {
    /// None has served yet.
    Starting,
    /// One does.
    Serving,
    /// It ended, or the newest code cannot be served and no older one is there.
    Failed,
}

/// What is known of the app, as the engine told it last.
#[derive(Debug, Clone)]
pub(crate) struct AppState {
    pub worker: WorkerState,
    pub generation: u64,
    /// Tables, functions, shapes and the jurisdiction, as `/api/app` answers them.
    pub application: Map<String, Value>,
    pub findings: Vec<Value>,
}

/// See the module.
pub(crate) struct Hub {
    timeline: Mutex<Timeline>,
    logs: Mutex<LogJoin>,
    app: Mutex<AppState>,
    /// Number of the entry to come.
    grown: watch::Sender<u64>,
    feeds: AtomicUsize,
    /// Epoch milliseconds.
    asked: AtomicU64,
    clock: Clock,
    started: u64,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is inside is whole between any two statements that could panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts a feed as long as it lives.
pub(crate) struct OpenFeed(Arc<Hub>);

impl Drop for OpenFeed {
    fn drop(&mut self) {
        self.0.feeds.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Hub {
    pub(crate) fn new(limits: Limits, clock: Clock) -> Self {
        let started = milliseconds(&clock);
        Self {
            timeline: Mutex::new(Timeline::new(limits)),
            logs: Mutex::default(),
            app: Mutex::new(AppState {
                worker: WorkerState::Starting,
                generation: 0,
                application: Map::from_iter([
                    ("tables".to_owned(), json!([])),
                    ("functions".to_owned(), json!([])),
                    ("shapes".to_owned(), json!([])),
                    ("jurisdiction".to_owned(), Value::Null),
                    ("drift".to_owned(), json!([])),
                ]),
                findings: Vec::new(),
            }),
            grown: watch::channel(1).0,
            feeds: AtomicUsize::new(0),
            asked: AtomicU64::new(0),
            clock,
            started,
        }
    }

    /// Epoch milliseconds.
    pub(crate) fn now(&self) -> u64 {
        milliseconds(&self.clock)
    }

    pub(crate) fn uptime(&self) -> u64 {
        self.now().saturating_sub(self.started)
    }

    /// Reads or changes the timeline; short, and never across an await.
    pub(crate) fn timeline(&self) -> MutexGuard<'_, Timeline> {
        locked(&self.timeline)
    }

    pub(crate) fn app(&self) -> MutexGuard<'_, AppState> {
        locked(&self.app)
    }

    /// Hears of new entries.
    pub(crate) fn growth(&self) -> watch::Receiver<u64> {
        self.grown.subscribe()
    }

    /// Takes what the worker's side told: entries, and how many it had to let go or told wrongly.
    pub(crate) fn take(&self, entries: Vec<Entry>, lost: u64) {
        {
            let now = self.now();
            let mut logs = locked(&self.logs);
            entries
                .iter()
                .filter_map(TapLine::of)
                .for_each(|line| logs.told(line, now));
        }
        self.push(entries, lost);
    }

    /// Takes a line that workerd printed. One of the console may come from the tap as well and waits for it.
    pub(crate) fn worker_line(&self, line: WorkerLine) {
        let now = self.now();
        let ready = locked(&self.logs).printed(line, now);
        self.push(ready.into_iter().collect(), 0);
    }

    /// Takes the printed lines that nobody else told in time.
    pub(crate) fn settle_logs(&self) {
        let now = self.now();
        let due = locked(&self.logs).due(now);
        self.push(due, 0);
    }

    fn push(&self, entries: Vec<Entry>, lost: u64) {
        if entries.is_empty() && lost == 0 {
            return;
        }
        let next = {
            let mut timeline = self.timeline();
            for entry in entries {
                timeline.push(entry);
            }
            if lost > 0 {
                timeline.push(Entry::lost(self.now(), lost));
            }
            timeline.next()
        };
        self.grown.send_replace(next);
    }

    /// Somebody has asked something.
    pub(crate) fn looked(&self) {
        self.asked.store(self.now(), Ordering::Relaxed);
    }

    pub(crate) fn open_feed(self: &Arc<Self>) -> OpenFeed {
        self.feeds.fetch_add(1, Ordering::Relaxed);
        OpenFeed(self.clone())
    }

    /// Whether somebody looks, so that events are worth sending at once.
    pub(crate) fn is_open(&self) -> bool {
        let asked = self.asked.load(Ordering::Relaxed);
        self.feeds.load(Ordering::Relaxed) > 0 || (asked > 0 && self.now().saturating_sub(asked) < LOOKING)
    }
}

fn milliseconds(clock: &Clock) -> u64 {
    clock()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
