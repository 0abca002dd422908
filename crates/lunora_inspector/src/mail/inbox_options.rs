//! How an inbox is opened.

use std::path::PathBuf;
use std::sync::Arc;

use super::change::Changed;
use super::limits::{KEPT_BYTES, KEPT_MAILS};

/// Milliseconds since the epoch.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// How an inbox is opened.
pub struct InboxOptions {
    /// The app's state folder, for example `.lunora/state`.
    pub state: PathBuf,
    /// What time it is.
    pub clock: Clock,
    /// Who hears of changes.
    pub changed: Changed,
    /// How many mails are kept, the newest.
    pub most_mails: usize,
    /// How many bytes of raw messages are kept.
    pub most_bytes: u64,
}

impl InboxOptions {
    /// The limits and the clock of development; nobody hears of changes.
    #[must_use]
    pub fn new(state: impl Into<PathBuf>) -> Self {
        let clock = || {
            let elapsed = std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .unwrap_or_default();
            u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
        };
        Self {
            state: state.into(),
            clock: Arc::new(clock),
            changed: Arc::new(|_| {}),
            most_mails: KEPT_MAILS,
            most_bytes: KEPT_BYTES,
        }
    }
}
