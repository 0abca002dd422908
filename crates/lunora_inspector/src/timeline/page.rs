//! Reading a part of the timeline.

use std::ops::Range;

use super::merged::Merged;
use super::{Entry, Timeline};

/// Entries that one read looks at when a text is searched; the reader goes on from there.
const SEARCHED: usize = 20_000;
/// The type of what says that events were dropped on their way.
const DROPPED: &str = "dropped";

/// Which entries are wanted. What is left out does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Any of these types; all when there is none.
    pub types: Vec<String>,
    /// Of this object.
    pub object: Option<String>,
    /// Of, or caused by, this call.
    pub call: Option<String>,
    /// Of this socket.
    pub socket: Option<String>,
    /// With this text in them, in lower case.
    pub search: Option<String>,
    /// And whatever says that events were dropped on their way: nobody knows whether they were of these.
    pub with_dropped: bool,
}

/// A part of the timeline, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Events as JSON texts.
    pub events: Vec<String>,
    /// What to read after to go on: everything up to it has been looked at.
    pub next: u64,
    /// What to read before to go further back.
    pub previous: u64,
    /// Number of the oldest entry that is held.
    pub first: u64,
    /// Entries behind `after` that are no longer held, of whatever kind.
    pub lost: u64,
    /// Events of whatever kind that never came here, by what was told of them between the entries that were looked at.
    pub dropped: u64,
}

impl Filter {
    fn admits(&self, entry: &Entry) -> bool {
        if self.with_dropped && &*entry.kind == DROPPED {
            return true;
        }
        let is =
            |wanted: &Option<String>, found: Option<&str>| wanted.as_deref().is_none_or(|wanted| found == Some(wanted));
        (self.types.is_empty() || self.types.iter().any(|kind| **kind == *entry.kind))
            && is(&self.object, entry.object.as_deref())
            && is(&self.socket, entry.socket.as_deref())
            && self
                .call
                .as_deref()
                .is_none_or(|wanted| entry.calls.iter().any(|call| **call == *wanted))
            && self.search.as_deref().is_none_or(|text| entry.contains(text))
    }
}

impl Timeline {
    /// Numbers in `range` of entries that may be wanted: all, or those of the shortest list that the filter names.
    fn candidates(&self, filter: &Filter, range: Range<u64>) -> Box<dyn DoubleEndedIterator<Item = u64> + '_> {
        let lists = &self.lists;
        let mut named: Vec<_> = if let Some(call) = &filter.call {
            lists.of_call(call).into_iter().collect()
        } else if let Some(socket) = &filter.socket {
            lists.of_socket(socket).into_iter().collect()
        } else if let Some(object) = &filter.object {
            lists.of_object(object).into_iter().collect()
        } else if filter.types.is_empty() {
            return Box::new(range);
        } else {
            filter.types.iter().filter_map(|kind| lists.of_type(kind)).collect()
        };
        if filter.with_dropped {
            named.extend(lists.of_type(DROPPED));
        }
        Box::new(Merged::new(named, &range))
    }

    /// At most `limit` wanted entries, in the order of the numbers; and the first number that was not looked at.
    fn read(&self, numbers: impl Iterator<Item = u64>, filter: &Filter, limit: usize) -> (Vec<String>, Option<u64>) {
        let mut events = Vec::new();
        for (looked, number) in numbers.enumerate() {
            if events.len() >= limit || looked >= SEARCHED && filter.search.is_some() {
                return (events, Some(number));
            }
            if let Some(entry) = self.entry(number).filter(|entry| filter.admits(entry)) {
                events.push(entry.json(number));
            }
        }
        (events, None)
    }

    /// The oldest entries behind `after` and before `before`, at most `limit`.
    #[must_use]
    pub fn forward(&self, after: u64, before: Option<u64>, filter: &Filter, limit: usize) -> Page {
        let end = before.unwrap_or(u64::MAX).min(self.next());
        let start = after.saturating_add(1).max(self.first);
        let (events, stopped) = self.read(self.candidates(filter, start..end), filter, limit);
        let all = end.saturating_sub(1).max(after.min(self.next() - 1));
        let next = stopped.map_or(all, |number| number - 1);
        Page {
            events,
            next,
            previous: start,
            first: self.first,
            lost: self.first.saturating_sub(after.saturating_add(1)),
            dropped: self.dropped_in(start..next.saturating_add(1)),
        }
    }

    /// The newest entries before `before`, at most `limit`; still oldest first.
    #[must_use]
    pub fn backward(&self, before: u64, filter: &Filter, limit: usize) -> Page {
        let end = before.min(self.next());
        let numbers = self.candidates(filter, self.first..end).rev();
        let (mut events, stopped) = self.read(numbers, filter, limit);
        events.reverse();
        let previous = stopped.map_or(self.first, |number| number + 1);
        Page {
            events,
            next: end.saturating_sub(1),
            previous,
            first: self.first,
            lost: 0,
            dropped: self.dropped_in(previous..end),
        }
    }

    /// How many events were dropped on their way, by the entries in `range`.
    fn dropped_in(&self, range: Range<u64>) -> u64 {
        let told = Merged::new(self.lists.of_type(DROPPED).into_iter().collect(), &range);
        told.filter_map(|number| self.entry(number))
            .map(|entry| entry.dropped)
            .sum()
    }
}
