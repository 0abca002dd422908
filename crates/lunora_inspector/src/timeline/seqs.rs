//! Which commit and which pokes hold a position of an object's log.

use std::collections::{BTreeMap, BTreeSet};

use super::Entry;

/// Commits and pokes of one object by the position that they lead to.
#[derive(Debug, Default)]
pub(super) struct Seqs {
    /// The newest commit that leads there: after a reset of the object positions begin anew.
    commits: BTreeMap<u64, u64>,
    pokes: BTreeSet<(u64, u64)>,
}

impl Seqs {
    pub(super) fn add(&mut self, entry: &Entry, (_, to): (u64, u64), number: u64) {
        if &*entry.kind == "commit" {
            self.commits.insert(to, number);
        } else {
            self.pokes.insert((to, number));
        }
    }

    pub(super) fn remove(&mut self, entry: &Entry, (_, to): (u64, u64), number: u64) {
        if &*entry.kind != "commit" {
            self.pokes.remove(&(to, number));
        } else if self.commits.get(&to) == Some(&number) {
            self.commits.remove(&to);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.commits.is_empty() && self.pokes.is_empty()
    }

    /// The commit that may hold the position: the first that leads to it or behind it.
    pub(super) fn commit(&self, seq: u64) -> Option<u64> {
        self.commits.range(seq..).next().map(|(_, number)| *number)
    }

    /// Pokes that lead to a position behind `from`, up to `to`.
    pub(super) fn pokes(&self, from: u64, to: u64) -> impl Iterator<Item = u64> {
        let range = (from.saturating_add(1), 0)..=(to.max(from.saturating_add(1)), u64::MAX);
        self.pokes.range(range).map(|(_, number)| *number)
    }
}
