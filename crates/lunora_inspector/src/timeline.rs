//! What happened, in order, as far back as there is room for.
//!
//! A ring of entries with a number each that only grows, and for each call, object, socket and type the numbers of its
//! entries, oldest first. Since entries leave in the order in which they came, the entry that leaves stands first in each of
//! its lists, and keeping the lists costs a few steps for each entry, however many there are.

mod activity;
mod entry;
pub(crate) mod group;
mod lists;
mod merged;
mod page;
mod seqs;
mod trace;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use activity::Activity;
use lists::Lists;
use seqs::Seqs;

pub use activity::ObjectActivity;
pub use entry::{Entry, EntryError};
pub use page::{Filter, Page};
pub use trace::{Trace, TraceOf};

/// What is kept at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Entries.
    pub entries: usize,
    /// Bytes of memory, as reckoned by [`Entry::cost`].
    pub bytes: usize,
}

impl Default for Limits {
    /// More than an hour of use by hand, or 40 seconds of a load of 5,000 events a second, in what a tab of a browser
    /// takes: it is the memory of the process that serves the app's pages.
    fn default() -> Self {
        Self {
            entries: 200_000,
            bytes: 96 * 1024 * 1024,
        }
    }
}

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct TimelineSize {
    /// Entries that are held.
    pub entries: usize,
    /// Bytes of memory, about.
    pub bytes: usize,
    /// Number of the oldest entry that is held; that of the next one when there is none.
    pub first: u64,
    /// Number of the entry to come.
    pub next: u64,
    /// Entries that were let go, here and on their way here.
    pub dropped: u64,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Timeline {
    limits: Limits,
    ring: VecDeque<Entry>,
    /// Number of the first of the ring.
    first: u64,
    bytes: usize,
    dropped: u64,
    lists: Lists,
    seqs: HashMap<Arc<str>, Seqs>,
    activity: HashMap<Arc<str>, Activity>,
}

impl Timeline {
    /// An empty one.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            first: 1,
            ..Self::default()
        }
    }

    /// Takes an entry and gives it its number.
    pub fn push(&mut self, entry: Entry) -> u64 {
        let number = self.next();
        self.dropped += entry.dropped;
        self.bytes += entry.cost();
        let entry = self.lists.add(entry, number);
        if let Some(object) = &entry.object {
            if let Some(range) = entry.range {
                self.seqs.entry(object.clone()).or_default().add(&entry, range, number);
            }
            self.activity.entry(object.clone()).or_default().take(&entry);
        }
        self.ring.push_back(entry);
        while self.ring.len() > self.limits.entries || self.bytes > self.limits.bytes {
            if !self.let_go() {
                break;
            }
        }
        number
    }

    fn let_go(&mut self) -> bool {
        let Some(entry) = self.ring.pop_front() else {
            return false;
        };
        let number = self.first;
        self.first += 1;
        self.dropped += 1;
        self.bytes -= entry.cost();
        self.lists.remove(&entry);
        if let Some(object) = &entry.object {
            if let (Some(range), Some(seqs)) = (entry.range, self.seqs.get_mut(object)) {
                seqs.remove(&entry, range, number);
                if seqs.is_empty() {
                    self.seqs.remove(object);
                }
            }
            if !self.lists.has_object(object) {
                self.activity.remove(object);
            }
        }
        true
    }

    /// No socket outlives the worker that held it. `now` is in epoch milliseconds.
    pub fn worker_restarted(&mut self, now: u64) {
        for activity in self.activity.values_mut() {
            activity.forget_sockets(now);
        }
    }

    /// The objects in which something happened, in no order, and whether clients are connected to each at `now` (epoch
    /// milliseconds), or were a moment ago.
    pub fn objects(&self, now: u64) -> impl Iterator<Item = (&str, bool)> {
        let activity = self.activity.iter();
        activity.map(move |(object, activity)| (&**object, activity.has_clients(now)))
    }

    /// Number of the oldest entry of a socket: it grows in the order in which sockets were opened.
    #[must_use]
    pub fn first_of_socket(&self, socket: &str) -> Option<u64> {
        self.lists.of_socket(socket)?.front().copied()
    }

    /// Number of the entry to come.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.first + self.ring.len() as u64
    }

    /// How much there is.
    #[must_use]
    pub fn size(&self) -> TimelineSize {
        TimelineSize {
            entries: self.ring.len(),
            bytes: self.bytes,
            first: self.first,
            next: self.next(),
            dropped: self.dropped,
        }
    }

    /// What is known of an object at `now` (epoch milliseconds) from what happened in it.
    #[must_use]
    pub fn activity(&self, object: &str, now: u64) -> Option<ObjectActivity> {
        self.activity.get(object).map(|activity| activity.at(now))
    }

    fn entry(&self, number: u64) -> Option<&Entry> {
        let at = number.checked_sub(self.first)?;
        self.ring.get(usize::try_from(at).ok()?)
    }
}

#[cfg(test)]
mod tests;
