//! When to look, as a function from state and event to state. The clock is passed in.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

/// Time since the watcher started.
pub(crate) type Time = Duration;

/// What there is to look at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Look {
    pub paths: BTreeSet<PathBuf>,
    /// Events were lost: everything.
    pub everything: bool,
}

/// Collects hints until a quiet period has passed.
#[derive(Debug)]
pub(crate) struct Debounce {
    quiet: Duration,
    /// The quiet period while only one path has changed: most saves are just that, and everybody waits for them.
    quiet_for_one: Duration,
    longest_wait: Duration,
    collected: Look,
    /// Times of the first and the newest hint.
    span: Option<(Time, Time)>,
}

impl Debounce {
    pub(crate) fn new(quiet: Duration, quiet_for_one: Duration, longest_wait: Duration) -> Self {
        Self {
            quiet,
            quiet_for_one,
            longest_wait,
            collected: Look::default(),
            span: None,
        }
    }

    /// Something happened at `path`.
    pub(crate) fn hint(&mut self, path: PathBuf, now: Time) {
        self.collected.paths.insert(path);
        self.touch(now);
    }

    /// Events were lost.
    pub(crate) fn lost(&mut self, now: Time) {
        self.collected.everything = true;
        self.touch(now);
    }

    fn touch(&mut self, now: Time) {
        let first = self.span.map_or(now, |(first, _)| first);
        self.span = Some((first, now));
    }

    /// When to look, if nothing else happens.
    pub(crate) fn deadline(&self) -> Option<Time> {
        let (first, newest) = self.span?;
        let alone = self.collected.paths.len() <= 1 && !self.collected.everything;
        let quiet = if alone { self.quiet_for_one } else { self.quiet };
        Some((newest + quiet).min(first + self.longest_wait))
    }

    /// What to look at now, if it is time.
    pub(crate) fn take_due(&mut self, now: Time) -> Option<Look> {
        if self.deadline()? > now {
            return None;
        }
        self.span = None;
        Some(std::mem::take(&mut self.collected))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const QUIET: Duration = Duration::from_millis(15);
    const LONGEST: Duration = Duration::from_millis(250);

    fn at(milliseconds: u64) -> Time {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn a_burst_is_looked_at_once_after_it() {
        let mut debounce = Debounce::new(QUIET, QUIET, LONGEST);
        assert_eq!(debounce.deadline(), None);
        for time in [0, 5, 10] {
            debounce.hint("a".into(), at(time));
            assert_eq!(debounce.take_due(at(time)), None);
        }
        assert_eq!(debounce.deadline(), Some(at(25)));
        assert_eq!(debounce.take_due(at(24)), None);
        assert_eq!(debounce.take_due(at(25)).unwrap().paths.len(), 1);
        assert_eq!(debounce.take_due(at(99)), None);
    }

    #[test]
    fn changes_without_end_are_looked_at_all_the_same() {
        let mut debounce = Debounce::new(QUIET, QUIET, LONGEST);
        let looks = (0..1000).step_by(10).filter(|time| {
            debounce.hint("a".into(), at(*time));
            debounce.take_due(at(*time)).is_some()
        });
        assert_eq!(looks.count(), 3);
    }

    #[test]
    fn a_single_path_is_looked_at_sooner() {
        let mut debounce = Debounce::new(QUIET, at(4), LONGEST);
        debounce.hint("a".into(), at(0));
        debounce.hint("a".into(), at(1));
        assert_eq!(debounce.deadline(), Some(at(5)));
        debounce.hint("b".into(), at(2));
        assert_eq!(debounce.deadline(), Some(at(17)));
        assert!(debounce.take_due(at(17)).is_some());
        debounce.lost(at(20));
        assert_eq!(debounce.deadline(), Some(at(35)));
    }

    proptest! {
        #[test]
        fn no_hint_is_lost_and_none_waits_too_long(gaps in prop::collection::vec((0_u64..40, 0_u8..4, any::<bool>()), 1..200)) {
            let mut debounce = Debounce::new(QUIET, QUIET, LONGEST);
            let mut now = at(0);
            let mut waiting: BTreeSet<PathBuf> = BTreeSet::new();
            let mut oldest = None;
            let mut lost = false;
            for (gap, name, overflow) in gaps {
                let next = now + at(gap);
                // Wake exactly when asked to, as the actor does.
                while let Some(deadline) = debounce.deadline().filter(|deadline| *deadline <= next) {
                    let look = debounce.take_due(deadline).unwrap();
                    prop_assert_eq!(&look.paths, &waiting);
                    prop_assert_eq!(look.everything, lost);
                    prop_assert!(deadline - oldest.unwrap() <= LONGEST);
                    waiting.clear();
                    lost = false;
                    oldest = None;
                }
                now = next;
                oldest = oldest.or(Some(now));
                if overflow {
                    debounce.lost(now);
                    lost = true;
                } else {
                    let path = PathBuf::from(name.to_string());
                    waiting.insert(path.clone());
                    debounce.hint(path, now);
                }
            }
            let look = debounce.take_due(now + QUIET).unwrap();
            prop_assert_eq!(look.paths, waiting);
        }
    }
}
