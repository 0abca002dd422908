//! Bookmarks of sessions: texts that sort as the answers were given.

use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

/// Gives bookmarks that only grow, whatever the clock does. There is one copy of a database, so that every bookmark that a
/// session sends is satisfied already.
#[derive(Debug, Default)]
pub(crate) struct Bookmarks {
    /// Milliseconds since 1970, and how many were given within them.
    last: Mutex<(u128, u32)>,
}

impl Bookmarks {
    /// The next one: time and count as hexadecimal digits of fixed width.
    pub fn next(&self, now: SystemTime) -> String {
        let now = now.duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_millis());
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *last = match *last {
            (time, u32::MAX) if now <= time => (time + 1, 0),
            (time, count) if now <= time => (time, count + 1),
            _ => (now, 0),
        };
        format!("{:012x}-{:08x}", last.0, last.1)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn they_grow_when_the_clock_stands_still_and_goes_back() {
        let bookmarks = Bookmarks::default();
        let later = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let times = [
            later,
            later,
            later - Duration::from_secs(60),
            UNIX_EPOCH,
            later + Duration::from_millis(1),
        ];
        let given = times.map(|time| bookmarks.next(time));
        assert_eq!(given[0], "01a3185c5000-00000000");
        assert!(given.is_sorted_by(|one, next| one < next), "{given:?}");
        *bookmarks.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = (5, u32::MAX);
        assert_eq!(bookmarks.next(UNIX_EPOCH), "000000000006-00000000");
    }
}
