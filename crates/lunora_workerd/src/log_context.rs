//! Where log lines go, and what is needed to make sense of them.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::broadcast;

use crate::event::WorkerdEvent;
use crate::log_line::{Echo, parse_log_line};
use crate::stack_trace::StackRemapper;

/// Turns output into events. One per supervisor; what it knows changes with each process.
pub(crate) struct LogContext {
    events: broadcast::Sender<WorkerdEvent>,
    current: RwLock<Current>,
    echo: Mutex<Echo>,
}

#[derive(Clone, Default)]
pub(crate) struct Current {
    pub generation: u64,
    pub remapper: Option<Arc<dyn StackRemapper>>,
}

impl LogContext {
    pub(crate) fn new(events: broadcast::Sender<WorkerdEvent>) -> Self {
        Self {
            events,
            current: RwLock::default(),
            echo: Mutex::default(),
        }
    }

    /// From now on lines are of this process.
    pub(crate) fn set_current(&self, current: Current) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = current;
    }

    pub(crate) fn current(&self) -> Current {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A line that a process of the state `current` wrote.
    pub(crate) fn line(&self, line: &str, current: &Current) {
        if line.trim().is_empty() {
            return;
        }
        // An update that changes no code may still bring other source positions.
        let newest = self.current();
        let remapper = if newest.generation == current.generation {
            &newest.remapper
        } else {
            &current.remapper
        };
        let event = parse_log_line(line, current.generation, now(), remapper.as_deref());
        let mut echo = self.echo.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(event) = event
            && !echo.repeats(&event)
        {
            self.emit(WorkerdEvent::Log(event));
        }
    }

    pub(crate) fn emit(&self, event: WorkerdEvent) {
        // Fails only when nobody listens.
        drop(self.events.send(event));
    }
}

/// Unix milliseconds.
pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
