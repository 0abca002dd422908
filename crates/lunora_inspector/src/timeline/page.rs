//! Reading a part of the timeline.

use super::lists::Numbers;
use super::{Entry, Timeline};

/// Entries that one read looks at when a text is searched; the reader goes on from there.
const SEARCHED: usize = 20_000;

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
}

impl Filter {
    fn admits(&self, entry: &Entry) -> bool {
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

/// Numbers of entries that may be wanted: all, or those of the shortest list that the filter names.
enum Candidates<'a> {
    All,
    Of(Vec<&'a Numbers>),
}

impl Timeline {
    fn candidates(&self, filter: &Filter) -> Candidates<'_> {
        let lists = &self.lists;
        if let Some(call) = &filter.call {
            Candidates::Of(lists.of_call(call).into_iter().collect())
        } else if let Some(socket) = &filter.socket {
            Candidates::Of(lists.of_socket(socket).into_iter().collect())
        } else if let Some(object) = &filter.object {
            Candidates::Of(lists.of_object(object).into_iter().collect())
        } else if filter.types.is_empty() {
            Candidates::All
        } else {
            let mut types: Vec<&str> = filter.types.iter().map(String::as_str).collect();
            types.sort_unstable();
            types.dedup();
            Candidates::Of(types.into_iter().filter_map(|kind| lists.of_type(kind)).collect())
        }
    }

    /// The oldest entries behind `after` and before `before`, at most `limit`.
    #[must_use]
    pub fn forward(&self, after: u64, before: Option<u64>, filter: &Filter, limit: usize) -> Page {
        let end = before.unwrap_or(u64::MAX).min(self.next());
        let start = after.saturating_add(1).max(self.first);
        let mut page = self.page(start);
        page.lost = self.first.saturating_sub(after.saturating_add(1));
        page.next = end.saturating_sub(1).max(after.min(self.next() - 1));
        let mut looked = 0;
        let mut take = |number: u64| {
            let Some(entry) = self.entry(number) else { return false };
            if page.events.len() >= limit || looked >= SEARCHED && filter.search.is_some() {
                page.next = number - 1;
                return false;
            }
            looked += 1;
            if filter.admits(entry) {
                page.events.push(entry.json(number));
            }
            true
        };
        match self.candidates(filter) {
            Candidates::All => {
                for number in start..end {
                    if !take(number) {
                        break;
                    }
                }
            }
            Candidates::Of(lists) => {
                let mut heads: Vec<(usize, &Numbers)> = lists
                    .into_iter()
                    .map(|numbers| (numbers.partition_point(|number| *number < start), numbers))
                    .collect();
                while let Some((at, number)) = heads
                    .iter()
                    .enumerate()
                    .filter_map(|(index, (at, numbers))| numbers.get(*at).map(|number| (index, *number)))
                    .min_by_key(|(_, number)| *number)
                {
                    if number >= end || !take(number) {
                        break;
                    }
                    heads[at].0 += 1;
                }
            }
        }
        page
    }

    /// The newest entries before `before`, at most `limit`; still oldest first.
    #[must_use]
    pub fn backward(&self, before: u64, filter: &Filter, limit: usize) -> Page {
        let end = before.min(self.next());
        let mut page = self.page(self.first);
        page.next = end.saturating_sub(1);
        let mut looked = 0;
        let mut take = |number: u64| {
            let Some(entry) = self.entry(number) else { return false };
            if page.events.len() >= limit || looked >= SEARCHED && filter.search.is_some() {
                page.previous = number + 1;
                return false;
            }
            looked += 1;
            if filter.admits(entry) {
                page.events.push(entry.json(number));
            }
            true
        };
        match self.candidates(filter) {
            Candidates::All => {
                for number in (self.first..end).rev() {
                    if !take(number) {
                        break;
                    }
                }
            }
            Candidates::Of(lists) => {
                let mut tails: Vec<(usize, &Numbers)> = lists
                    .into_iter()
                    .map(|numbers| (numbers.partition_point(|number| *number < end), numbers))
                    .collect();
                while let Some((at, number)) = tails
                    .iter()
                    .enumerate()
                    .filter_map(|(index, (at, numbers))| {
                        let number = numbers.get(at.checked_sub(1)?)?;
                        Some((index, *number))
                    })
                    .max_by_key(|(_, number)| *number)
                {
                    if !take(number) {
                        break;
                    }
                    tails[at].0 -= 1;
                }
            }
        }
        page.events.reverse();
        page
    }

    fn page(&self, previous: u64) -> Page {
        Page {
            events: Vec::new(),
            next: 0,
            previous,
            first: self.first,
            lost: 0,
        }
    }
}
