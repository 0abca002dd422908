//! When a connection's statements have to have ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Shared by a connection, which asks, and whoever ends it.
#[derive(Debug, Clone)]
pub(crate) struct Deadline {
    began: Instant,
    /// Nanoseconds after `began`.
    at: Arc<AtomicU64>,
    is_interrupted: Arc<AtomicBool>,
}

impl Deadline {
    pub fn new() -> Self {
        Self {
            began: Instant::now(),
            at: Arc::new(AtomicU64::new(u64::MAX)),
            is_interrupted: Arc::default(),
        }
    }

    /// From now on for so long.
    pub fn set(&self, time: Duration) {
        let at = self.began.elapsed().saturating_add(time).as_nanos();
        self.at.store(u64::try_from(at).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Everything of this connection ends, now and later.
    pub fn interrupt(&self) {
        self.is_interrupted.store(true, Ordering::Relaxed);
    }

    pub fn is_interrupted(&self) -> bool {
        self.is_interrupted.load(Ordering::Relaxed)
    }

    /// Whether a statement has to end.
    pub fn has_passed(&self) -> bool {
        self.is_interrupted() || self.began.elapsed().as_nanos() >= u128::from(self.at.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_passes_by_time_or_by_will() {
        let deadline = Deadline::new();
        assert!(!deadline.has_passed());
        deadline.set(Duration::from_secs(3600));
        assert!(!deadline.has_passed());
        deadline.set(Duration::ZERO);
        assert!(deadline.has_passed() && !deadline.is_interrupted());
        deadline.set(Duration::MAX);
        assert!(!deadline.has_passed());
        deadline.clone().interrupt();
        assert!(deadline.has_passed());
    }
}
